/** What somebody typed as the value that a field of this type takes; the API refuses what is none. */

interface Document {
  readonly entities?: readonly { readonly name: string; readonly fields?: readonly { readonly name: string; readonly type?: string }[] }[];
}

export function fieldTypeIn(document: Readonly<Record<string, unknown>> | undefined, entity: string, field: string): string | undefined {
  const { entities } = (document ?? {}) as Document;
  return entities?.find(({ name }) => name === entity)?.fields?.find(({ name }) => name === field)?.type;
}

const NUMBERS: ReadonlySet<string | undefined> = new Set(['int', 'integer', 'float', 'decimal', 'number']);

export function parseValue(text: string, type: string | undefined): unknown {
  const typed = text.trim();
  if (typed === '') return null;
  if (NUMBERS.has(type) && /^[+-]?\d+(?:\.\d+)?$/.test(typed) && Number.isSafeInteger(Math.trunc(Number(typed)))) return Number(typed);
  if (type === 'boolean' && /^(?:true|false)$/.test(typed)) return typed === 'true';
  if (type !== 'json') return text;
  try {
    return JSON.parse(typed) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
