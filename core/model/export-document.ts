/** Writing a document: the options in one order, those that only repeat a default left out, nothing lost. */
import { Document, visit } from 'yaml';
import type { z } from 'zod';
import { documentSchema, type SchemaDocument } from './document.ts';
import { canonicalJson } from './identity.ts';

/** Sections an export always shows, so that a reader sees they are empty. */
const SHOWN = [
  'entities',
  'relations',
  'rules',
  'state_machines',
  'workflows',
  'permissions',
  'webhooks',
  'functions',
  'ui_configs',
] as const;

/** Options whose default depends on others when a document is read: always written. */
const ALWAYS_WRITTEN = new Set(['generated', 'on_delete', 'type']);

export interface ExportOptions {
  /** The time of the export, ISO 8601; left out when not given. */
  readonly exportedAt?: string;
}

/** A plain object that `readDocument` reads back to an equal document. */
export function exportDocument(document: SchemaDocument, { exportedAt }: ExportOptions = {}): Record<string, unknown> {
  const { version, name, ...rest } = written(documentSchema, document) as Record<string, unknown>;
  return {
    version,
    ...(name === undefined ? {} : { name }),
    ...(exportedAt === undefined ? {} : { exported_at: exportedAt }),
    ...Object.fromEntries(SHOWN.map((section) => [section, rest[section] ?? []])),
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => !(SHOWN as readonly string[]).includes(key) && key !== 'exported_at')),
  };
}

/** What YAML does not allow to stand as it is, beside what its writer escapes. */
const UNPRINTABLE = /[\u007f-\u0084\u0086-\u009f\ufffe\uffff]/g;

/** The same as YAML text. */
export function documentToYaml(document: SchemaDocument, options: ExportOptions = {}): string {
  const text = new Document(exportDocument(document, options), { aliasDuplicateObjects: false });
  visit(text, {
    Scalar: (_key, scalar) => {
      // Only there is something written as an escape.
      if (typeof scalar.value === 'string' && scalar.value.search(UNPRINTABLE) >= 0) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return text.toString({ lineWidth: 0 }).replace(UNPRINTABLE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly options?: readonly z.ZodType[];
}

const definitionOf = (schema: z.ZodType): Definition => schema.def as unknown as Definition;

function written(schema: z.ZodType, value: unknown): unknown {
  const { innerType, element, shape, options } = definitionOf(schema);
  if (innerType !== undefined) return written(innerType, value);
  if (element !== undefined && Array.isArray(value)) return value.map((member: unknown) => written(element, member));
  if (options !== undefined) {
    const option = options.find((candidate) => definitionOf(candidate).shape !== undefined && candidate.safeParse(value).success);
    return option === undefined ? value : written(option, value);
  }
  if (shape === undefined || typeof value !== 'object' || value === null) return value;
  const source = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(shape).flatMap(([key, member]): [string, unknown][] => {
      const inner = source[key];
      return inner === undefined || (!ALWAYS_WRITTEN.has(key) && isDefault(member, inner)) ? [] : [[key, written(member, inner)]];
    }),
  );
}

/** True when reading nothing gives the same value. */
function isDefault(schema: z.ZodType, value: unknown): boolean {
  const { type } = definitionOf(schema);
  if (type !== 'default' && type !== 'prefault') return false;
  const nothing = schema.safeParse(undefined);
  return nothing.success && canonicalJson(nothing.data) === canonicalJson(value);
}
