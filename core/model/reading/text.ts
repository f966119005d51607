/** From text to a raw document: JSON when it begins like JSON, else YAML. */
import { parseDocument } from 'yaml';
import { AppError } from '../../errors.ts';

/** Aliases a YAML text may expand to; more is a bomb, not a document. */
const MAX_ALIASES = 100;

/** The value of a JSON or YAML text; INVALID_PAYLOAD names the first place that does not parse. */
export function parseText(text: string): unknown {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') throw new AppError('INVALID_PAYLOAD', 'The schema document is empty.');
  return trimmed.startsWith('{') || trimmed.startsWith('[') ? parseJson(trimmed) : parseYaml(trimmed);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // YAML's flow form begins like JSON: what only JSON refuses may still be a document.
    try {
      return parseYaml(text);
    } catch {
      throw unreadable('JSON', cause);
    }
  }
}

function parseYaml(text: string): unknown {
  try {
    const document = parseDocument(text, { version: '1.2', prettyErrors: true });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
  } catch (cause) {
    throw unreadable('YAML', cause);
  }
}

function unreadable(format: string, cause: unknown): AppError {
  const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new AppError('INVALID_PAYLOAD', `The schema document is not readable as ${format}: ${reason}`, { cause });
}
