import { randomBytes, randomFillSync } from 'node:crypto';

let lastMs = 0;
let sequence = 0;

/** Chance is fetched in stock: asking the system for eight bytes costs as much as asking for thousands. */
const stock = Buffer.alloc(4096);
let used = stock.length;

/** The next bytes of the stock. They are given out once; the caller may change them. */
function takeRandom(count: number): Buffer {
  if (used + count > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  return stock.subarray(used, (used += count));
}

/** A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then a 12-bit counter that keeps one process's ids in order, then chance. */
export function uuidv7(now: number = Date.now()): string {
  if (now > lastMs) {
    lastMs = now;
    sequence = takeRandom(2).readUInt16BE() & 0x7ff;
  } else if (++sequence > 0xfff) {
    lastMs += 1;
    sequence = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const random = takeRandom(8);
  random[0] = ((random[0] ?? 0) & 0x3f) | 0x80;
  const tail = random.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, '0')}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Twelve random base32 characters: the opaque id of an app, also part of its storage's name. */
export function appId(): string {
  return [...randomBytes(12)].map((byte) => BASE32[byte & 31]).join('');
}
