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
