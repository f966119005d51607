/**
 * Where a reader of a timeline stands: at each source its last entry that was shown, and the time of the last one of all. Sources
 * are merged as they come; each goes on by its own order, so that nothing is skipped where times are equal or do not agree with it.
 */
import { AppError } from '../../core/errors.ts';
import { isObject } from '../../core/is-object.ts';

export const SOURCES = ['change', 'comment', 'run', 'end', 'vote', 'clock', 'delivery'] as const;
export type Source = (typeof SOURCES)[number];

export interface Place {
  /** ISO time with microseconds. Of a source that has shown nothing yet, what is newer came after the reader. */
  readonly until: string;
  /** Changes: the version below which they go on. Others: time and id. */
  readonly last: Readonly<Partial<Record<Source, readonly string[]>>>;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MARK = /^[^\0]{1,200}$/;

export const writePlace = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64url');

export function readPlace(text: string | null): Place | undefined {
  if (text === null || text === '') return undefined;
  const place = text.length > 2_000 ? undefined : parse(text);
  if (!isObject(place) || !isTime(place['until']) || !isObject(place['last']) || !Object.entries(place['last']).every(isLast))
    throw foreign();
  return { until: place['until'], last: place['last'] as Place['last'] };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

const isTime = (given: unknown): given is string => typeof given === 'string' && TIME.test(given) && !Number.isNaN(Date.parse(given));

function isLast([source, last]: [string, unknown]): boolean {
  if (!SOURCES.some((one) => one === source) || !Array.isArray(last)) return false;
  const [first, second] = last as unknown[];
  if (source === 'change') return last.length === 1 && typeof first === 'string' && /^\d{1,18}$/.test(first);
  return last.length === 2 && isTime(first) && typeof second === 'string' && (source === 'clock' ? MARK : ID).test(second);
}

function foreign(): AppError {
  const message = 'The cursor is none of this timeline.';
  return new AppError('INVALID_VALUE', message, { details: [{ field: 'cursor', rule: 'value', message }] });
}
