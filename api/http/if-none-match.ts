/** `If-None-Match` (RFC 9110, 13.1.2), read in one way for everything that has an ETag. */
import type { Answer } from './answer.ts';
import { headerOf, type Call } from './call.ts';

/** A tag, weak or strong; without its quotes too, as some clients send it. A comma may stand inside of the quotes. */
const TAG = /(?:W\/)?(?:"([^"]*)"|([^\s,"]+))/g;

/** What of a tag is compared: reading does not tell weak tags from strong ones. */
const opaque = (etag: string): string => etag.replace(/^W\//, '').slice(1, -1);

/** 304 when the caller has the text behind this tag already, or any (`*`). */
export function unlessKnown(call: Call, etag: string, answer: Answer): Answer {
  const given = headerOf(call, 'if-none-match');
  if (given === undefined) return answer;
  const wanted = opaque(etag);
  const isKnown = given.trim() === '*' || [...given.matchAll(TAG)].some(([, quoted, bare]) => (quoted ?? bare) === wanted);
  if (!isKnown) return answer;
  const vary = answer.headers?.['Vary'];
  return { status: 304, text: '', headers: { ETag: etag, ...(vary === undefined ? {} : { Vary: vary }) } };
}
