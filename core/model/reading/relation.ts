/** Reading relations. */
import { ON_DELETE_SYNONYMS } from './entity.ts';
import { clean, isRaw, ITEM_NOISE, snakeCase, synonym, withValue, type Raw } from './reading.ts';

const TYPE_SYNONYMS: Readonly<Record<string, string>> = {
  has_many: 'one_to_many',
  has_one: 'one_to_one',
  belongs_to: 'many_to_one',
  '1:n': 'one_to_many',
  '1:1': 'one_to_one',
  'n:m': 'many_to_many',
  'm:n': 'many_to_many',
  'n:1': 'many_to_one',
};

export function readRelation(raw: Raw): Raw {
  const whole = isRaw(raw['definition']) ? { ...raw, ...raw['definition'], definition: undefined } : raw;
  const relation = clean(whole, {
    rename: {
      from: 'source',
      to: 'target',
      foreign_key: 'target_key',
      onDelete: 'on_delete',
      source_entity: 'source',
      target_entity: 'target',
    },
    drop: ITEM_NOISE,
  });
  const type = synonym(relation['type'], TYPE_SYNONYMS);
  const read = {
    ...relation,
    ...withValue('type', type),
    // Links hold nobody back: deleting one side takes the link away.
    ...withValue('on_delete', synonym(relation['on_delete'] ?? (type === 'many_to_many' ? 'detach' : undefined), ON_DELETE_SYNONYMS)),
    ...withValue('fetch', typeof relation['fetch'] === 'string' ? snakeCase(relation['fetch']) : relation['fetch']),
  };
  return type === 'many_to_one' ? turned(read) : read;
}

/** A many_to_one is the same relation said from the other side: the foreign key is its source's. */
function turned(relation: Raw): Raw {
  const { source, target, source_key: foreignKey, target_key: key, source_name: targetName, target_name: sourceName, ...rest } = relation;
  return {
    ...rest,
    type: 'one_to_many',
    ...withValue('source', target),
    ...withValue('target', source),
    ...withValue('source_key', key),
    ...withValue('target_key', foreignKey),
    ...withValue('source_name', sourceName),
    ...withValue('target_name', targetName),
  };
}
