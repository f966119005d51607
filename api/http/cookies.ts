/** Cookies of a request. */
import { headerOf, type Call } from './call.ts';

/** The first cookie with this name. */
export const cookieOf = (call: Call, wanted: string): string | undefined => cookieIn(headerOf(call, 'cookie'), wanted);

/** The same, of a Cookie header. */
export function cookieIn(header: string | undefined, wanted: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [name, ...text] = pair.trim().split('=');
    if (name === wanted) return text.join('=');
  }
  return undefined;
}
