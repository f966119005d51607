/** Values of definitions: literals of any JSON type, and strings that are paths (`trigger.record.x`, `record.x`, `context.x`). */
import type { FieldModel } from '../../core/model/model.ts';
import type { RecordPaths } from './read-record.ts';

export interface ValueScope {
  readonly trigger: Readonly<Record<string, unknown>>;
  readonly record: unknown;
  readonly context: Readonly<Record<string, unknown>>;
  readonly now: string;
}

const PATH = /^(trigger|record|context)((?:\.[a-zA-Z_][\w-]*)+)$/;

/** A path's value, null when nothing is there; any other value as it is, with the strings inside it resolved too. */
export function resolveValue(given: unknown, scope: ValueScope): unknown {
  if (typeof given === 'string') {
    const match = PATH.exec(given);
    if (match === null) return given;
    return walk(scope[match[1] as 'trigger' | 'record' | 'context'], (match[2] ?? '').slice(1).split('.'));
  }
  if (Array.isArray(given)) return given.map((item) => resolveValue(item, scope));
  if (typeof given === 'object' && given !== null) {
    return Object.fromEntries(Object.entries(given).map(([key, item]) => [key, resolveValue(item, scope)]));
  }
  return given;
}

/** Walks own properties only. */
export function walk(from: unknown, path: readonly string[]): unknown {
  let current: unknown = from;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) return null;
    current = (current as Record<string, unknown>)[part];
  }
  return current ?? null;
}

/** The paths below the record that these values read, so that only the relations they name are loaded. */
export function recordPathsOf(given: unknown): RecordPaths {
  if (typeof given === 'string') {
    const match = /^(?:trigger\.)?record\.(.+)$/.exec(given);
    return match?.[1] === undefined || !PATH.test(given) ? [] : [match[1].split('.')];
  }
  if (typeof given !== 'object' || given === null) return [];
  return Object.values(given).flatMap((item) => recordPathsOf(item));
}

/** `"now"` means the time of the step where the field holds a moment; in a text field it is a word. */
export function valueForField(field: FieldModel | undefined, resolved: unknown, now: string): unknown {
  if (resolved !== 'now') return resolved;
  switch (field?.type) {
    case 'timestamp':
      return now;
    case 'date':
      return now.slice(0, 10);
    case 'time':
      return now.slice(11, 19);
    default:
      return resolved;
  }
}

/** Whether a value of a definition, or one of a list of them, is the value found. */
export const isOneOf = (wanted: unknown, found: unknown): boolean =>
  (Array.isArray(wanted) ? wanted : [wanted]).some((one) => isSame(one, found));

/** Exact numbers are JSON strings in records and plain numbers in documents. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || a === undefined || b === undefined) return false;
  if (typeof a === 'object' || typeof b === 'object') return JSON.stringify(a) === JSON.stringify(b);
  return String(a) === String(b) || (typeof a !== typeof b && a !== '' && b !== '' && Number(a) === Number(b));
}

const PLACEHOLDER = /\{\{\s*([\w.-]+)\s*\}\}/g;

/** Fills `{{context.x}}` in a text; what is not there leaves nothing. */
export const fillText = (text: string, scope: ValueScope, escape: (value: string) => string = (value) => value): string =>
  text.replace(PLACEHOLDER, (_all, path: string) => escape(textOf(resolveValue(path, scope), path)));

/** A name that is no path has no value: it is not left standing as if it were one. */
const textOf = (found: unknown, path: string): string =>
  found === null || found === undefined || (found === path && !PATH.test(path))
    ? ''
    : typeof found === 'object'
      ? JSON.stringify(found)
      : String(found);

/** The paths that `{{...}}` name. */
export const placeholdersOf = (text: string): string[] => [...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '');
