/** Files of a list, as the API writes them: the whole list, or the chosen records. */
import type { DiscoveredEntity, Discovery } from '../../discovery.ts';
import { byIds, wholeList } from '../../providers/data-provider.ts';
import { client } from '../../session.ts';
import { filterOf, usualColumns, type ListState } from './state.ts';

export type FileKind = 'csv' | 'ndjson';

interface ExportOf {
  readonly discovery: Discovery;
  readonly entity: DiscoveredEntity;
  readonly state: ListState;
  /** Only these; all of the list where none are chosen. */
  readonly ids: readonly string[];
  readonly kind: FileKind;
}

/** The columns that are shown, behind the key; related records by their titles besides. */
export async function exportList({ discovery, entity, state, ids, kind }: ExportOf): Promise<void> {
  const read = async (filter: object): Promise<Blob> => {
    const query = wholeList(entity, filter, state.sort);
    query.set('fields', exportedFields(discovery, entity, state).join(','));
    const path = `/api/${encodeURIComponent(discovery.app.name)}/${encodeURIComponent(entity.name)}/_export.${kind}?${query}`;
    return (await client.call<Blob>(path, { as: 'blob', headers: { accept: '*/*' } })).body;
  };
  if (ids.length === 0) return save([await read(filterOf(entity, state))], `${entity.name}.${kind}`);
  const parts: Blob[] = [];
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const $tree = byIds(entity.primary_key.fields, ids.slice(from, from + IDS_AT_ONCE));
    const part = await read({ $tree, ...(state.isTrash ? { $deleted: true } : {}) });
    parts.push(from > 0 && kind === 'csv' ? await withoutHeader(part) : part);
  }
  save(parts, `${entity.name}.${kind}`);
}

/** As many ids as an address has room for. */
const IDS_AT_ONCE = 200;

/** Names of fields have no line breaks, so the header is the first line. */
async function withoutHeader(part: Blob): Promise<Blob> {
  const text = await part.text();
  return new Blob([text.slice(text.indexOf('\n') + 1)]);
}

function exportedFields(discovery: Discovery, entity: DiscoveredEntity, state: ListState): readonly string[] {
  const shown = state.columns ?? usualColumns(entity);
  const titles = entity.relations.flatMap((relation) => {
    const other = discovery.entities.find((candidate) => candidate.name === relation.target);
    return relation.direction === 'forward' && shown.includes(relation.local_field) && other !== undefined
      ? [`${relation.name}.${other.display_field}`]
      : [];
  });
  return [...new Set([...entity.primary_key.fields, ...shown, ...titles])];
}

function save(parts: readonly Blob[], name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([...parts]));
  link.download = name;
  link.click();
  // Later than the browser's own look at it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
