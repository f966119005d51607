import { useRead } from '../../api/use-api.ts';
import type { DocumentInput } from '../../document/types.ts';

export type Settings = NonNullable<DocumentInput['settings']>;

interface JsonSchema {
  readonly default?: string | number | boolean | object;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** What a setting is that nobody has said, by its path below `settings`. */
export type Usual = (...path: readonly string[]) => string | undefined;

/** From the schema of the document itself, so that no default is told twice. */
export function useUsual(): Usual {
  const schema = useRead<JsonSchema>('/api/_platform/document-schema.json').data;
  return (...path) => {
    const found = ['settings', ...path].reduce<JsonSchema | undefined>((part, name) => part?.properties?.[name], schema)?.default;
    return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
  };
}

export interface GroupProps {
  readonly settings: Settings;
  readonly usual: Usual;
  readonly onChange: (settings: Settings) => void;
}

type Part<K extends keyof Settings> = NonNullable<Settings[K]>;

/** With some members changed; what is set to undefined is left out, so that it says nothing. */
export function withSome<T extends object>(before: T, changed: { readonly [K in keyof T]?: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries({ ...before, ...changed }).filter(([, member]) => member !== undefined)) as T;
}

export type Auth = Part<'auth'>;
export type Migrations = Part<'migrations'>;
export type Limits = NonNullable<Part<'limits'>['requests_per_minute']>;
