/** All that a migration can make or change in the schema of an app, as a text: two that are equal say that nothing has changed. */
import type pg from 'pg';

const PARTS: Readonly<Record<string, string>> = {
  columns: `select table_name, column_name, data_type, is_nullable, column_default, is_identity from information_schema.columns
            where table_schema = $1 order by table_name, column_name`,
  indexes: `select tablename, indexname, indexdef from pg_indexes where schemaname = $1 order by indexname`,
  invalid: `select indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indexrelid
            where c.relnamespace = $1::regnamespace and not indisvalid`,
  constraints: `select conrelid::regclass::text as place, conname, pg_get_constraintdef(oid) as text, convalidated from pg_constraint
                where connamespace = $1::regnamespace and contype <> 'n' order by 1, 2`,
  triggers: `select tgrelid::regclass::text as place, tgname, pg_get_triggerdef(t.oid) as text from pg_trigger t join pg_class c on c.oid = t.tgrelid
             where c.relnamespace = $1::regnamespace and not tgisinternal order by 1, 2`,
  functions: `select pg_get_functiondef(oid) as text from pg_proc where pronamespace = $1::regnamespace order by 1`,
};

const LOOSE = new Set(['is_nullable', 'convalidated']);

/**
 * The definitions. Less strict where what was loosened need not be put back as it was: the engine asks on every write whether a column
 * takes null, and a foreign key that comes back is held from then on, whether or not it was asked of the rows before.
 */
export async function catalogue(pool: pg.Pool, storage: string, isStrict = true): Promise<string> {
  const parts: unknown[] = [];
  for (const [name, text] of Object.entries(PARTS)) parts.push(name, ...(await pool.query(text, [storage])).rows);
  return parts
    .map((part) => JSON.stringify(part, (key, value: unknown) => (LOOSE.has(key) && !isStrict ? undefined : value)))
    .map((text) => (isStrict ? text : text.replaceAll(' NOT VALID', '')))
    .join('\n');
}

/** The definitions and every row of the app's entities. */
export async function footprint(pool: pg.Pool, storage: string): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select quote_ident(relname) as name from pg_class where relnamespace = $1::regnamespace and relkind = 'r' and relname not like '\\_%' order by 1`,
    [storage],
  );
  const parts = [await catalogue(pool, storage)];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string }>(`select to_jsonb(t)::text as text from ${storage}.${name} t order by 1`);
    parts.push(name, ...rows.map(({ text }) => text));
  }
  const { rows: wrong } = await pool.query<{ text: string }>(
    `select jsonb_build_array(record_id, field, direction, value)::text as text from ${storage}._quarantine order by 1`,
  );
  return [...parts, ...wrong.map(({ text }) => text)].join('\n');
}
