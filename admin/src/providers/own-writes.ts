/** What this window has written itself is no news to it when the server tells of it. */

const REMEMBERED_MS = 15_000;
const writes = new Map<string, number>();

export function noteWrite(resource: string, id: string | number, now = Date.now()): void {
  for (const [key, at] of writes) if (now - at > REMEMBERED_MS) writes.delete(key);
  writes.set(`${resource}/${id}`, now);
}

export const isOwnWrite = (resource: string, id: string | number, now = Date.now()): boolean =>
  now - (writes.get(`${resource}/${id}`) ?? -Infinity) <= REMEMBERED_MS;
