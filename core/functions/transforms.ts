/** Transforms: a value in, a value out. Nothing in is nothing out. */
import { z } from 'zod';
import { slugify } from '../rules/slug.ts';
import { defined, FunctionError, numeric, refuse, textValue, type FunctionSpec } from './function.ts';
import { country, phoneOf, plainNumber } from './validators.ts';

const nothing = (value: string | null | undefined): value is null | undefined | '' => value === undefined || value === null || value === '';

/** Words a path of an app uses for something else. */
export const RESERVED_SLUGS: readonly string[] = ['new', 'edit', 'admin', 'api', 'login', 'logout', 'search', 'null', 'undefined'];

const slugifyFunction = defined({
  name: 'slugify',
  kind: 'transform',
  summary:
    'The readable name of a record in a path: small letters, digits and hyphens. With `unique`, -2, -3 … is added while another record has it.',
  parameters: {
    value: textValue('The text it is made of.'),
    max_length: z.int().min(1).max(200).default(50).describe('Characters at most.'),
    reserved: z
      .array(z.string())
      .max(500)
      .default([...RESERVED_SLUGS])
      .describe('Words it must not be; such a one gets "-1".'),
    unique: z.boolean().default(false).describe('No other live record may have it; into a field that is unique.'),
  },
  returns: 'text',
  errors: [],
  examples: [
    { params: { value: 'Grüße aus Łódź!' }, result: 'grusse-aus-lodz' },
    { params: { value: 'New' }, result: 'new-1' },
  ],
  run({ value, max_length: most, reserved }) {
    if (nothing(value)) return null;
    const slug = slugify(value).slice(0, most).replace(/-+$/, '');
    if (slug === '') return null;
    return reserved.includes(slug) ? `${slug}-1` : slug;
  },
});

const normalizeEmail = defined({
  name: 'normalize_email',
  kind: 'transform',
  summary:
    'One spelling of an address: trimmed, composed, the domain in small letters, and the part before it too unless it is to be kept.',
  parameters: {
    value: textValue('The address.'),
    keep_local: z.boolean().default(false).describe('Leave the part before the @ as it is.'),
  },
  returns: 'text',
  errors: [],
  examples: [{ params: { value: ' Ada@Example.COM ' }, result: 'ada@example.com' }],
  run({ value, keep_local: keepsLocal }) {
    if (nothing(value)) return null;
    const text = value.normalize('NFC').trim();
    const at = text.lastIndexOf('@');
    if (at < 0) return text;
    const local = text.slice(0, at);
    return `${keepsLocal ? local : local.toLowerCase()}@${text.slice(at + 1).toLowerCase()}`;
  },
});

const normalizePhone = defined({
  name: 'normalize_phone',
  kind: 'transform',
  summary: 'A telephone number as E.164: + and digits only.',
  parameters: { value: textValue('The number.'), country },
  returns: 'text',
  errors: ['must be a telephone number'],
  examples: [{ params: { value: '030 901820', country: 'DE' }, result: '+4930901820' }],
  run({ value, country: of }) {
    if (nothing(value)) return null;
    const phone = phoneOf(value, of);
    return phone?.isValid() === true ? phone.number : refuse('must be a telephone number, like +49 30 901820');
  },
});

const normalizeWhitespace = defined({
  name: 'normalize_whitespace',
  kind: 'transform',
  summary: 'Trims the text and makes every run of blanks one space; line breaks may stay.',
  parameters: { value: textValue(), keep_lines: z.boolean().default(false).describe('Keep line breaks.') },
  returns: 'text',
  errors: [],
  examples: [{ params: { value: '  two   words ' }, result: 'two words' }],
  run({ value, keep_lines: keepsLines }) {
    if (nothing(value)) return value ?? null;
    const lines = keepsLines ? value.split(/\r\n|\r|\n/) : [value];
    return lines
      .map((line) => line.split(/\s+/u).filter(Boolean).join(' '))
      .join('\n')
      .trim();
  },
});

const normalizeUnicode = defined({
  name: 'normalize_unicode',
  kind: 'transform',
  summary: 'One spelling of equal texts (NFC by default), without characters that cannot be seen.',
  parameters: { value: textValue(), form: z.enum(['NFC', 'NFD', 'NFKC', 'NFKD']).default('NFC').describe('The Unicode form.') },
  returns: 'text',
  errors: [],
  examples: [{ params: { value: 'e\u0301' }, result: '\u00e9' }],
  run: ({ value, form }) =>
    nothing(value) ? (value ?? null) : value.normalize(form).replace(/[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/g, ''),
});

const changeCase = defined({
  name: 'change_case',
  kind: 'transform',
  summary: 'The text in small or capital letters, or with a capital at the start of each word.',
  parameters: { value: textValue(), to: z.enum(['lower', 'upper', 'title']).describe('Which letters.') },
  returns: 'text',
  errors: [],
  examples: [{ params: { value: 'ada lovelace', to: 'title' }, result: 'Ada Lovelace' }],
  run({ value, to }) {
    if (nothing(value)) return value ?? null;
    if (to === 'lower') return value.toLowerCase();
    if (to === 'upper') return value.toUpperCase();
    return value
      .toLowerCase()
      .replace(/(^|[^\p{L}\p{M}\p{N}'’])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase());
  },
});

const truncate = defined({
  name: 'truncate',
  kind: 'transform',
  summary: 'The beginning of a text, with a mark where something was cut off.',
  parameters: {
    value: textValue(),
    max_length: z.int().min(1).max(100_000).describe('Characters at most, the mark included.'),
    mark: z.string().max(10).default('…').describe('What ends a text that was cut.'),
  },
  returns: 'text',
  errors: [],
  examples: [{ params: { value: 'a long text', max_length: 7 }, result: 'a long…' }],
  run({ value, max_length: most, mark }) {
    if (nothing(value)) return value ?? null;
    const letters = [...value];
    return letters.length <= most
      ? value
      : letters
          .slice(0, Math.max(0, most - [...mark].length))
          .join('')
          .trimEnd() + mark;
  },
});

const mask = defined({
  name: 'mask',
  kind: 'transform',
  summary: 'Hides the middle of a text. What is no longer than its open ends is hidden as a whole.',
  parameters: {
    value: textValue(),
    start: z.int().min(0).max(100).default(0).describe('Characters shown at the start.'),
    end: z.int().min(0).max(100).default(4).describe('Characters shown at the end.'),
    character: z.string().min(1).max(2).default('*').describe('What stands for a hidden one.'),
  },
  returns: 'text',
  errors: [],
  examples: [{ params: { value: '4539148803436467' }, result: '************6467' }],
  secrets: ['value'],
  run({ value, start, end, character }) {
    if (nothing(value)) return value ?? null;
    const letters = [...value];
    if (letters.length <= start + end) return character.repeat(letters.length);
    return letters.map((letter, at) => (at < start || at >= letters.length - end ? letter : character)).join('');
  },
});

// --- digests ---------------------------------------------------------------------------------------------------------

const hash = defined({
  name: 'hash',
  kind: 'transform',
  summary:
    'The digest of a text in hex: tells whether two texts are equal. Anybody can work it out again; use `hmac` where guessing matters.',
  parameters: { value: textValue(), algorithm: z.enum(['sha256', 'sha512']).default('sha256').describe('The digest.') },
  returns: 'text',
  errors: [],
  examples: [{ params: { value: 'abc' }, result: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' }],
  secrets: ['value'],
  run: ({ value, algorithm }, tools) => (value === undefined || value === null ? null : tools.digest(algorithm, value)),
});

const hmac = defined({
  name: 'hmac',
  kind: 'transform',
  summary:
    'A keyed digest (HMAC-SHA-256) in hex: the same text gives the same result in this app only. For looking up what must not be stored in the clear.',
  parameters: {
    value: textValue(),
    key: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/)
      .default('default')
      .describe(
        "The name of one of the app's own keys; every name is another key. They are made of the server's SECRET_KEY and never shown.",
      ),
  },
  returns: 'text',
  errors: [],
  examples: [],
  secrets: ['value'],
  run: ({ value, key }, tools) => (value === undefined || value === null ? null : tools.hmac(key, value)),
});

const hashPassword = defined({
  name: 'hash_password',
  kind: 'transform',
  summary: 'A password as it may be stored: salted and slow on purpose, some hundred milliseconds of a thread.',
  parameters: { value: textValue('The password.') },
  returns: 'text',
  errors: ['must have at most 1,000 characters'],
  examples: [],
  secrets: ['value'],
  run({ value }, tools) {
    if (nothing(value)) return null;
    return value.length > 1_000 ? refuse('must have at most 1,000 characters') : tools.hashPassword(value);
  },
});

// --- amounts and times -----------------------------------------------------------------------------------------------

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));

const formatCurrency = defined({
  name: 'format_currency',
  kind: 'transform',
  summary: 'An amount as people of a language write it.',
  parameters: {
    value: numeric.nullish().describe('The amount; decimals may be text, so that no digit is lost.'),
    currency: z
      .string()
      .toUpperCase()
      .refine((code) => CURRENCIES.has(code), 'must be an ISO 4217 code like EUR')
      .describe('ISO 4217 code.'),
    locale: z
      .string()
      .max(35)
      .default('en')
      .refine(isLocale, 'must be a language tag like de-DE')
      .describe('The language, as a BCP 47 tag.'),
  },
  returns: 'text',
  errors: [],
  examples: [{ params: { value: '1234.5', currency: 'EUR', locale: 'en' }, result: '€1,234.50' }],
  run({ value, currency, locale }) {
    if (value === null || value === undefined) return null;
    const digits = plainNumber(value);
    if (digits === undefined) return refuse('must be an amount');
    // As text, so that no digit of a large amount is lost.
    return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(digits as `${number}`);
  },
});

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})(?:$|[T ])/;

/** A day of the calendar as ISO text; undefined for the 30th of February. */
function dayOf(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(year, month - 1, day);
  const isThere = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isThere && year >= 1 && year <= 9999 ? date.toISOString().slice(0, 10) : undefined;
}

const parseDate = defined({
  name: 'parse_date',
  kind: 'transform',
  summary: 'A day written in one of the given forms, as YYYY-MM-DD.',
  parameters: {
    value: textValue('The day as it was written.'),
    formats: z
      .array(z.string().regex(/^(?=.*YYYY)(?=.*MM)(?=.*DD)[YMD ./-]{8,12}$/, 'is made of YYYY, MM and DD with signs between them'))
      .min(1)
      .max(10)
      .default(['YYYY-MM-DD'])
      .describe('Forms, tried in their order; DD and MM also take one digit where a sign follows.'),
  },
  returns: 'date',
  errors: ['must be a day like …'],
  examples: [{ params: { value: '3.9.2026', formats: ['DD.MM.YYYY'] }, result: '2026-09-03' }],
  run({ value, formats }) {
    if (nothing(value)) return null;
    const found = value.length > 40 ? undefined : formats.map((format) => readDay(value.trim(), format)).find((day) => day !== undefined);
    return found ?? refuse(`must be a day like ${formats.join(' or ')}`);
  },
});

function readDay(text: string, format: string): string | undefined {
  const hasSigns = /[ ./-]/.test(format);
  const order: string[] = [];
  const pattern = format.replace(/YYYY|MM|DD|[./-]/g, (part) => {
    if (part.length === 1) return `\\${part}`;
    order.push(part);
    return part === 'YYYY' ? '(\\d{4})' : hasSigns ? '(\\d{1,2})' : '(\\d{2})';
  });
  const match = new RegExp(`^${pattern}$`).exec(text);
  if (match === null) return undefined;
  const part = (name: string): number => Number(match[order.indexOf(name) + 1]);
  return dayOf(part('YYYY'), part('MM'), part('DD'));
}

const calculateAge = defined({
  name: 'calculate_age',
  kind: 'transform',
  summary: 'Whole years between a day of birth and a moment: the 29th of February has its birthday on the 1st of March.',
  parameters: {
    value: textValue('The day of birth, YYYY-MM-DD.'),
    at: z.string().nullish().describe('The day to count to; the moment of the write when it is left out.'),
  },
  returns: 'number',
  errors: ['must be a day', 'must not be in the future'],
  examples: [{ params: { value: '1990-05-17', at: '2026-05-16' }, result: 35 }],
  run({ value, at }, tools) {
    if (nothing(value)) return null;
    const [birth, then] = [isoDay(value), isoDay(at ?? tools.now.toISOString())];
    if (birth === undefined || then === undefined) return refuse('must be a day like 1990-05-17');
    const years = then[0] - birth[0] - (then[1] < birth[1] || (then[1] === birth[1] && then[2] < birth[2]) ? 1 : 0);
    return years < 0 ? refuse('must not be in the future') : years;
  },
});

function isoDay(text: string): readonly [number, number, number] | undefined {
  const match = ISO_DATE.exec(text);
  if (match === null) return undefined;
  const day = [Number(match[1]), Number(match[2]), Number(match[3])] as const;
  return dayOf(...day) === undefined ? undefined : day;
}

// --- made up ---------------------------------------------------------------------------------------------------------

const ALPHABETS = {
  digits: '0123456789',
  letters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  /** Nothing that is read for something else. */
  readable: '23456789ABCDEFGHJKMNPQRSTUVWXYZ',
  base62: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
} as const;

/** Every character equally likely: bytes past the last whole multiple are thrown away. */
function randomText(length: number, alphabet: string, random: (bytes: number) => Uint8Array): string {
  const most = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of random(length)) if (byte < most && text.length < length) text += alphabet[byte % alphabet.length] ?? '';
  }
  return text;
}

const generateCode = defined({
  name: 'generate_code',
  kind: 'transform',
  summary: 'A random code, as for a voucher.',
  parameters: {
    length: z.int().min(4).max(128).default(8).describe('Characters without the prefix.'),
    alphabet: z
      .enum(['digits', 'letters', 'readable', 'base62'])
      .default('readable')
      .describe('Which characters; `readable` has none that look alike.'),
    prefix: z.string().max(50).default('').describe('What it begins with.'),
  },
  returns: 'text',
  errors: [],
  examples: [],
  run: ({ length, alphabet, prefix }, tools) => prefix + randomText(length, ALPHABETS[alphabet], (bytes) => tools.random(bytes)),
});

const generateApiKey = defined({
  name: 'generate_api_key',
  kind: 'transform',
  summary: 'A random key of 256 bits or more, for systems of your own; keys of this platform are made with _admin/api-keys.',
  parameters: {
    prefix: z
      .string()
      .regex(/^[a-z0-9]{0,20}$/)
      .default('key')
      .describe('Says what the key is for.'),
    length: z.int().min(43).max(128).default(43).describe('Characters after the prefix.'),
  },
  returns: 'text',
  errors: [],
  examples: [],
  run: ({ prefix, length }, tools) =>
    `${prefix}${prefix === '' ? '' : '_'}${randomText(length, ALPHABETS.base62, (bytes) => tools.random(bytes))}`,
});

// --- decisions of the business ---------------------------------------------------------------------------------------

const setValue = defined({
  name: 'set_value',
  kind: 'hook',
  summary: 'Puts a value into a field: a literal, a path or what an expression gives.',
  parameters: { value: z.json().describe('The value.') },
  returns: 'json',
  errors: [],
  examples: [{ params: { value: 'open' }, result: 'open' }],
  run: ({ value }) => value,
});

const refuseFunction = defined({
  name: 'refuse',
  kind: 'hook',
  summary: 'Refuses the write; say with `when` in which case.',
  parameters: { message: z.string().min(1).max(500).describe('What the caller reads.') },
  returns: 'none',
  errors: ['the message'],
  examples: [],
  run({ message }) {
    throw new FunctionError('BusinessLogic', message);
  },
});

export const TRANSFORMS: readonly FunctionSpec[] = [
  slugifyFunction,
  normalizeEmail,
  normalizePhone,
  normalizeWhitespace,
  normalizeUnicode,
  changeCase,
  truncate,
  mask,
  hash,
  hmac,
  hashPassword,
  formatCurrency,
  parseDate,
  calculateAge,
  generateCode,
  generateApiKey,
];

export const PURE_HOOKS: readonly FunctionSpec[] = [setValue, refuseFunction];
