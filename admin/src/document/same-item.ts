/** What makes two items of two lists the same thing: the id, else the name or what it was called, else where it belongs. */
type Raw = Readonly<Record<string, unknown>>;

const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Also of fields, steps, transitions and whatever else has an id or a name. */
export function isSameItem(before: unknown, after: unknown): boolean {
  if (!isRaw(before) || !isRaw(after)) return before === after;
  if (before['id'] !== undefined && after['id'] !== undefined) return before['id'] === after['id'];
  if (before['name'] !== undefined && after['name'] !== undefined) {
    if (before['name'] === after['name'] && before['entity'] === after['entity']) return true;
    return after['was'] !== undefined && (after['was'] === before['name'] || after['was'] === before['was']);
  }
  return false;
}
