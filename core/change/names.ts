/** Names of what DDL makes beside tables and columns. Derived, so a repeated step finds its work, and never longer than Postgres keeps. */
const MAX_BYTES = 63;

/** `<table>_<columns>_<hash>_<suffix>`. The hash keeps `a_b(c)` and `a(b_c)` apart, and names that are cut. */
export function derivedName(
  table: string,
  columns: readonly string[],
  suffix: 'key' | 'livekey' | 'idx' | 'fts' | 'fkey' | 'pkey' | 'nn',
): string {
  const hash = hashOf([table, ...columns, suffix].join('\u0000'));
  const tail = `_${hash}_${suffix}`;
  return [table, ...columns].join('_').slice(0, MAX_BYTES - tail.length) + tail;
}

/** FNV-1a over 32 bits as seven base-36 digits: enough to tell the constraints of one schema apart. */
export function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash.toString(36).padStart(7, '0');
}
