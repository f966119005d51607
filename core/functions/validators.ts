/** Validators: they answer nothing, or refuse the value with a message that begins where a field's name ends. */
import { isValidIBAN, electronicFormatIBAN } from 'ibantools';
import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js';
import { z } from 'zod';
import { compareDecimals } from '../model/fields/decimal.ts';
import { isEmail } from '../model/fields/email.ts';
import { defined, numeric, refuse, textValue, type FunctionSpec } from './function.ts';

const empty = (value: string | null | undefined): value is null | undefined | '' => value === undefined || value === null || value === '';

export const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/, 'must be two letters like DE')
  .optional()
  .describe('ISO 3166 country whose national numbers are understood; without it a number begins with +.');

export const phoneOf = (value: string, of: string | undefined) =>
  parsePhoneNumberFromString(value, { extract: false, ...(of === undefined ? {} : { defaultCountry: of.toUpperCase() as CountryCode }) });

const validateEmail = defined({
  name: 'validate_email',
  kind: 'validator',
  summary: 'Refuses what is no email address, and addresses outside the allowed domains.',
  parameters: {
    value: textValue('The address.'),
    domains: z.array(z.string().min(1)).max(200).optional().describe('Only these domains and those below them.'),
  },
  returns: 'none',
  errors: ['must be an email address', 'must be an address at one of the domains'],
  examples: [
    { params: { value: 'ada@example.com' }, result: null },
    { params: { value: 'ada@example.com', domains: ['example.com'] }, result: null },
  ],
  run({ value, domains }) {
    if (empty(value)) return;
    if (!isEmail(value)) refuse('must be an email address');
    const domain = value.slice(value.lastIndexOf('@') + 1).toLowerCase();
    if (domains !== undefined && !domains.some((one) => isWithinDomain(domain, one))) refuse(`must be an address at ${domains.join(', ')}`);
  },
});

/** `example.com` holds itself and everything below it. */
export const isWithinDomain = (host: string, domain: string): boolean => {
  const root = domain.toLowerCase().replace(/^\*?\./, '');
  return host === root || host.endsWith(`.${root}`);
};

const validatePhone = defined({
  name: 'validate_phone',
  kind: 'validator',
  summary: 'Refuses what is no telephone number that can be dialled, by the numbering plans of all countries (E.164).',
  parameters: { value: textValue('The number.'), country },
  returns: 'none',
  errors: ['must be a telephone number'],
  examples: [{ params: { value: '+49 30 901820' }, result: null }],
  run({ value, country: of }) {
    if (empty(value)) return;
    if (phoneOf(value, of)?.isValid() !== true) refuse('must be a telephone number, like +49 30 901820');
  },
});

const validateIban = defined({
  name: 'validate_iban',
  kind: 'validator',
  summary: 'Refuses what is no IBAN: country, length, form and check digits. Spaces are allowed.',
  parameters: { value: textValue('The account number.') },
  returns: 'none',
  errors: ['must be an IBAN'],
  examples: [{ params: { value: 'DE89 3704 0044 0532 0130 00' }, result: null }],
  run({ value }) {
    if (empty(value)) return;
    // The library would also take dashes and anything else between the digits.
    const isPlain = value.length <= 64 && /^[A-Za-z0-9 ]+$/.test(value);
    if (!isPlain || !isValidIBAN(electronicFormatIBAN(value) ?? '')) refuse('must be an IBAN');
  },
});

/** The check digit of card numbers, IMEIs and the like. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]);
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const validateLuhn = defined({
  name: 'validate_luhn',
  kind: 'validator',
  summary: 'Refuses a number whose Luhn check digit is wrong (cards, IMEI). Spaces and dashes are left out.',
  parameters: {
    value: textValue('The number.'),
    min_length: z.int().min(2).max(64).default(12).describe('Digits at least.'),
    max_length: z.int().min(2).max(64).default(19).describe('Digits at most.'),
  },
  returns: 'none',
  errors: ['must be a number with a right check digit'],
  examples: [{ params: { value: '4539 1488 0343 6467' }, result: null }],
  run({ value, min_length: least, max_length: most }) {
    if (empty(value)) return;
    const digits = value.length > 200 ? '' : value.replace(/[ -]/g, '');
    const isLong = digits.length >= least && digits.length <= most;
    if (!isLong || !/^\d+$/.test(digits) || !passesLuhn(digits)) refuse('must be a number with a right check digit');
  },
});

const validateUrl = defined({
  name: 'validate_url',
  kind: 'validator',
  summary: 'Refuses what is no web address, and addresses outside the allowed schemes and hosts.',
  parameters: {
    value: textValue('The address.'),
    schemes: z
      .array(z.string().regex(/^[a-z][a-z0-9+.-]*$/))
      .min(1)
      .max(20)
      .default(['http', 'https'])
      .describe('Allowed schemes.'),
    hosts: z.array(z.string().min(1)).max(200).optional().describe('Only these hosts and those below them.'),
  },
  returns: 'none',
  errors: ['must be a web address', 'must be an address at one of the hosts'],
  examples: [{ params: { value: 'https://example.com/a', schemes: ['https'] }, result: null }],
  run({ value, schemes, hosts }) {
    if (empty(value)) return;
    const url =
      value.length <= 4096 && /^[a-z][a-z0-9+.-]*:\/\/[^\s/]/i.test(value) && !/\s/.test(value) && URL.canParse(value)
        ? new URL(value)
        : undefined;
    if (url === undefined || !schemes.includes(url.protocol.slice(0, -1)))
      return refuse(`must be an address that begins with ${schemes.join(' or ')}`);
    if (hosts !== undefined && !hosts.some((one) => isWithinDomain(url.hostname, one))) refuse(`must be an address at ${hosts.join(', ')}`);
  },
});

const CLASSES = {
  upper: { pattern: /\p{Lu}/u, words: 'a capital letter' },
  lower: { pattern: /\p{Ll}/u, words: 'a small letter' },
  digit: { pattern: /\p{Nd}/u, words: 'a digit' },
  symbol: { pattern: /[^\p{L}\p{N}\s]/u, words: 'a sign that is neither letter nor digit' },
} as const;

/** Lists of leaked passwords begin with these. */
const COMMON = new Set([
  'password',
  'passwort',
  '12345678',
  '123456789',
  '1234567890',
  'qwertyuiop',
  'qwertz',
  'iloveyou',
  'letmein',
  'changeme',
  'administrator',
  'welcome1',
  'password1',
  'abc12345',
]);

const validatePassword = defined({
  name: 'validate_password',
  kind: 'validator',
  summary:
    'Refuses a weak password: too short, without the wanted kinds of characters, one character repeated, a common one, or one that holds what is known of its owner.',
  parameters: {
    value: textValue('The password.'),
    min_length: z.int().min(1).max(200).default(8).describe('Characters at least.'),
    require: z
      .array(z.enum(['upper', 'lower', 'digit', 'symbol']))
      .max(4)
      .default([])
      .describe('Kinds of characters that must be among them.'),
    not_like: z
      .array(z.string().nullable())
      .max(20)
      .default([])
      .describe('Texts of four or more characters that must not be part of it, as the name or the email address.'),
  },
  returns: 'none',
  errors: ['must have at least … characters', 'must hold …', 'is too easy to guess'],
  examples: [{ params: { value: 'correct horse 7', require: ['digit'] }, result: null }],
  secrets: ['value'],
  run({ value, min_length: least, require, not_like: known }) {
    if (empty(value)) return;
    if ([...value].length < least) refuse(`must have at least ${String(least)} characters`);
    const missing = require.filter((kind) => !CLASSES[kind].pattern.test(value)).map((kind) => CLASSES[kind].words);
    if (missing.length > 0) refuse(`must hold ${missing.join(' and ')}`);
    const plain = value.toLowerCase();
    const isKnown = known.some((text) => text !== null && [...text].length >= 4 && plain.includes(text.toLowerCase()));
    if (isKnown || COMMON.has(plain) || new Set(plain).size < 3) refuse('is too easy to guess');
  },
});

const validatePrice = defined({
  name: 'validate_price',
  kind: 'validator',
  summary: 'Refuses an amount outside its limits or with more digits after the point than the currency has.',
  parameters: {
    value: numeric.nullish().describe('The amount; decimals may be text, so that no digit is lost.'),
    min: numeric.default(0).describe('The least amount.'),
    max: numeric.optional().describe('The greatest amount.'),
    decimals: z.int().min(0).max(17).default(2).describe('Digits after the point at most.'),
  },
  returns: 'none',
  errors: ['must be at least …', 'must be at most …', 'must have at most … digits after the point'],
  examples: [{ params: { value: '19.90', max: 100 }, result: null }],
  run({ value, min, max, decimals }) {
    if (value === null || value === undefined) return;
    const text = plainNumber(value);
    if (text === undefined) return refuse('must be an amount');
    if (compareDecimals(text, String(min)) < 0) refuse(`must be at least ${String(min)}`);
    if (max !== undefined && compareDecimals(text, String(max)) > 0) refuse(`must be at most ${String(max)}`);
    if ((text.split('.')[1] ?? '').replace(/0+$/, '').length > decimals)
      refuse(`must have at most ${String(decimals)} digits after the point`);
  },
});

/** Digits without an exponent; undefined for what has none. */
export function plainNumber(value: number | string): string | undefined {
  if (typeof value === 'string') return value;
  if (!Number.isFinite(value)) return undefined;
  const text = String(value);
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text;
}

export const VALIDATORS: readonly FunctionSpec[] = [
  validateEmail,
  validatePhone,
  validateIban,
  validateLuhn,
  validateUrl,
  validatePassword,
  validatePrice,
];
