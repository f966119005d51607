/**
 * What makes two items of two documents the same one: its stable id, else its name, else what it says. A permission or rule
 * without a name is what it says, so a second grant for the same entity and action is never taken for the first.
 */
import type { Section, SchemaDocument } from './document.ts';

type Item = SchemaDocument[Section][number];

/** JSON with sorted keys, so that equal values are equal texts. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** The keys an item answers to, best first; any in common means the same item. Ids are compared apart. */
export function identitiesOf(section: Section, item: Item): string[] {
  const named = 'name' in item && item.name !== undefined && 'entity' in item ? [`${item.entity}:name:${item.name}`] : [];
  switch (section) {
    case 'entities':
    case 'relations':
    case 'workflows':
    case 'calendars':
    case 'slas':
      return [nameOf(item)];
    case 'roles':
      return [nameOf(item).toLowerCase()];
    case 'functions':
      return named;
    case 'rules': {
      const { entity, hook, type, definition } = item as SchemaDocument['rules'][number];
      return [...named, canonicalJson([entity, hook, type, definition])];
    }
    case 'state_machines': {
      const { entity, field } = item as SchemaDocument['state_machines'][number];
      return [canonicalJson([entity, field])];
    }
    case 'permissions': {
      const { id: _id, name: _name, roles, ...grant } = item as SchemaDocument['permissions'][number];
      return [...named, canonicalJson({ ...grant, roles: roles.map((role) => role.toLowerCase()).sort() })];
    }
    case 'webhooks': {
      const { entity, hook, url, condition } = item as SchemaDocument['webhooks'][number];
      return [...named, canonicalJson([entity, hook, url, condition])];
    }
  }
}

/** Webhooks that are named differently are different ones, however alike they are: each has a secret and deliveries of its own. */
export const isOtherByName = (section: Section, one: Item, other: Item): boolean =>
  section === 'webhooks' && nameOf(one) !== '' && nameOf(other) !== '' && nameOf(one) !== nameOf(other);

const nameOf = (item: Item): string => ('name' in item ? (item.name ?? '') : '');

/** What a person calls an item in a report. */
export function labelOf(section: Section, item: Item): string {
  const name = nameOf(item);
  if (name !== '') return name;
  switch (section) {
    case 'rules': {
      const rule = item as SchemaDocument['rules'][number];
      return rule.type === 'field' ? `${rule.entity}.${rule.definition.field} ${rule.definition.operator}` : `${rule.entity} ${rule.type}`;
    }
    case 'state_machines': {
      const machine = item as SchemaDocument['state_machines'][number];
      return `${machine.entity}.${machine.field}`;
    }
    case 'permissions': {
      const grant = item as SchemaDocument['permissions'][number];
      return `${grant.entity} ${grant.action} for ${grant.roles.join(', ')}`;
    }
    case 'webhooks': {
      const webhook = item as SchemaDocument['webhooks'][number];
      return `${webhook.entity} ${webhook.hook} ${webhook.url}`;
    }
    default:
      return name;
  }
}
