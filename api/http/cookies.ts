/** Cookies of a request. */
import { headerOf, type Call } from './call.ts';

/** The first cookie with this name. */
export function cookieOf(call: Call, wanted: string): string | undefined {
  for (const pair of (headerOf(call, 'cookie') ?? '').split(';')) {
    const [name, ...text] = pair.trim().split('=');
    if (name === wanted) return text.join('=');
  }
  return undefined;
}
