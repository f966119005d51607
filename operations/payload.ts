/**
 * Bodies that are no records. What a command does not take is UNKNOWN_FIELD; what describes something that is stored is judged
 * as a whole, VALIDATION_FAILED with every mistake, as records are.
 */
import type { z } from 'zod';
import { AppError, nearestNames, type ErrorDetail } from '../core/errors.ts';
import { isObject } from '../core/is-object.ts';

/** UNKNOWN_FIELD: members that the object at `path` of a body does not take; `known` are those it does. */
export function unknownMembers(what: string, names: readonly string[], known: readonly string[], path = ''): AppError {
  const taken = known.length === 0 ? '' : ` It takes ${known.map((name) => `"${name}"`).join(', ')}.`;
  const message = (name: string): string => `${what} does not take "${name}".${taken}`;
  const details = names.slice(0, 20).map((given): ErrorDetail => {
    const name = given.slice(0, 100);
    const place = path === '' ? name : `${path}.${name}`;
    return { field: name, path: place, rule: 'unknown', message: message(name), allowed: nearestNames(name, known) };
  });
  return new AppError('UNKNOWN_FIELD', details[0]?.message ?? message(''), { details });
}

export type Members<Name extends string> = Readonly<Partial<Record<Name, unknown>>>;

/** The members of a command's body (`auth/password`); their values are the command's to judge. */
export function readMembers<Name extends string>(body: unknown, what: string, known: readonly Name[]): Members<Name> {
  if (!isObject(body)) throw new AppError('INVALID_PAYLOAD', `The body of ${what} must be a JSON object.`);
  const unknown = Object.keys(body).filter((name) => !known.some((one) => one === name));
  if (unknown.length > 0) throw unknownMembers(what, unknown, known);
  return body as Members<Name>;
}

/** The body of a command in its shape: UNKNOWN_FIELD for what it does not take, else INVALID_PAYLOAD, with every mistake and its path. */
export function readPayload<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const { issues } = read.error;
  const unknown = unknownIn(issues);
  if (unknown !== undefined) throw unknownMembers(what, unknown.keys, [], unknown.path.join('.'));
  const details = issues.slice(0, 20).map((issue) => {
    const path = issue.path.map(String).join('.');
    return { path, field: String(issue.path[0] ?? ''), rule: issue.code, message: issue.message };
  });
  const first = details[0];
  const place = first === undefined || first.path === '' ? '' : ` "${first.path}":`;
  throw new AppError('INVALID_PAYLOAD', `The body of ${what} is not valid.${place} ${first?.message ?? ''}`.trim(), { details });
}

interface Unknown {
  readonly keys: readonly string[];
  readonly path: readonly PropertyKey[];
}

/** The first members that a shape does not have, also in one of several forms that a member may have. */
function unknownIn(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[] = []): Unknown | undefined {
  for (const issue of issues) {
    const path = [...at, ...issue.path];
    if (issue.code === 'unrecognized_keys') return { keys: issue.keys, path };
    if (issue.code !== 'invalid_union') continue;
    const found = issue.errors.map((form) => unknownIn(form, path)).find((one) => one !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a body describes, in the words of its refusals: `an API key`. */
const named = (what: string): { readonly one: string; readonly the: string } => ({
  one: what.replace(/^a/, 'A'),
  the: what.replace(/^an? /, 'The '),
});

/** The body that describes `what` (`a provider`) in its shape, or VALIDATION_FAILED with every mistake. */
export function readDescribed<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  const details = read.error.issues.flatMap((issue): ErrorDetail[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          field: key.slice(0, 100),
          rule: 'unknown',
          message: `${named(what).one} has no field "${key.slice(0, 100)}".`,
        }))
      : [{ field: String(issue.path[0] ?? ''), rule: 'type', message: issue.message, path: issue.path.join('.') }],
  );
  throw new AppError('VALIDATION_FAILED', `${named(what).the} is not valid.`, { details: details.slice(0, 50) });
}

/** One value that its shape cannot judge. */
export const invalidDescribed = (what: string, field: string, message: string): AppError =>
  new AppError('VALIDATION_FAILED', `${named(what).the} is not valid.`, { details: [{ field, rule: 'value', message }] });
