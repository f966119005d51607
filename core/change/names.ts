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

/** What keeps two shapes in step is named by the version it leads to, so a leftover tells whose it is. */
export interface MadeNames {
  /** Part of every name; a hidden column, where there is one, has it as its own. */
  readonly marker: string;
  /** Of a function, and of the trigger that runs it. */
  object(verb: string): string;
}

/** `parts` tell apart what one version makes; `room` is kept free before the name. */
export function madeNames(table: string, version: number, parts: readonly string[], room = 0): MadeNames {
  const marker = `_m${version}_${hashOf(parts.join('\u0000'))}`;
  return {
    marker,
    object: (verb) => {
      const tail = `${marker}_${verb}`;
      return table.slice(0, MAX_BYTES - room - tail.length) + tail;
    },
  };
}
