import { createHash, createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FunctionError, type FunctionTools } from '../../../core/functions/function.ts';
import { describeFunctions, FUNCTIONS } from '../../../core/functions/registry.ts';

const TOOLS: FunctionTools = {
  digest: (algorithm, text) => createHash(algorithm).update(text, 'utf8').digest('hex'),
  hmac: (key, text) => createHmac('sha256', key).update(text).digest('hex'),
  random: (bytes) => randomBytes(bytes),
  hashPassword: (text) => Promise.resolve(`hashed ${String(text.length)}`),
  now: new Date('2026-03-01T10:00:00Z'),
};

const run = (name: string, params: Record<string, unknown>): unknown => FUNCTIONS.get(name)?.run?.(params, TOOLS);
const refusal = (name: string, params: Record<string, unknown>): string => {
  try {
    const result = run(name, params);
    return `answered ${JSON.stringify(result)}`;
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return `${error.kind}: ${error.message}`;
  }
};

describe('every function', () => {
  it('says what it is for, and each parameter too', () => {
    for (const { name, summary, parameters, runs } of describeFunctions()) {
      expect(summary.length, name).toBeGreaterThan(20);
      const properties = (parameters as { properties: Record<string, { description?: string }> }).properties;
      for (const [key, schema] of Object.entries(properties)) expect(schema.description, `${name}.${key}`).toBeTruthy();
      expect(runs).toBe(FUNCTIONS.get(name)?.run === undefined ? 'after_the_commit' : 'in_the_write');
    }
  });

  it('does what its examples say', async () => {
    for (const { name, examples, run: execute } of FUNCTIONS.values()) {
      for (const { params, result } of examples) expect((await execute?.(params, TOOLS)) ?? null, name).toEqual(result);
    }
  });

  it('refuses unknown parameters, and values of other kinds, with a FunctionError', () => {
    for (const { name, run: execute } of FUNCTIONS.values()) {
      if (execute === undefined || name === 'set_value') continue;
      for (const params of [{ value: { a: 1 } }, { value: ['x'] }, { nonsense: 1 }, { __proto__: null, constructor: 'x' }])
        expect(refusal(name, params), name).toMatch(/^(Validation|BusinessLogic): /);
    }
  });

  it('passes any text through in short time, answering or refusing', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ maxLength: 200 }),
      fc.constantFrom('a'.repeat(50_000), ' '.repeat(50_000), '@'.repeat(9_999), '1'.repeat(9_999)),
    );
    const textual = [...FUNCTIONS.values()].filter(
      ({ run: execute, parameters }) => execute !== undefined && parameters.shape['value'] !== undefined,
    );
    for (const { name, run: execute } of textual) {
      const extra =
        name === 'change_case'
          ? { to: 'title' }
          : name === 'truncate'
            ? { max_length: 5 }
            : name === 'format_currency'
              ? { currency: 'EUR' }
              : {};
      await fc.assert(
        fc.asyncProperty(text, async (value) => {
          const began = performance.now();
          try {
            await execute?.({ value, ...extra }, TOOLS);
          } catch (error) {
            expect(error).toBeInstanceOf(FunctionError);
          }
          expect(performance.now() - began).toBeLessThan(500);
        }),
        { numRuns: 30 },
      );
    }
  });

  it('lets nothing pass as nothing', () => {
    for (const { name, kind, run: execute } of FUNCTIONS.values()) {
      if (execute === undefined || kind === 'hook' || name.startsWith('generate_')) continue;
      const extra =
        name === 'change_case'
          ? { to: 'lower' }
          : name === 'truncate'
            ? { max_length: 5 }
            : name === 'format_currency'
              ? { currency: 'EUR' }
              : {};
      expect(execute({ value: null, ...extra }, TOOLS) ?? null, name).toBeNull();
    }
  });
});

describe('validators', () => {
  it.each([
    [
      'validate_email',
      ['a@b.co', 'A.b+c@sub.example.org'],
      ['a', 'a@', '@b.co', 'a@@b.co', 'a b@c.de', 'a@b..co', `${'a'.repeat(65)}@b.co`],
    ],
    [
      'validate_phone',
      ['+49 30 901820', '+1 212 736 5000', '+44 20 7946 0958'],
      ['030 901820', '+49', 'call me', '+99912345', '+49 30 901820; drop', '1'.repeat(400)],
    ],
    [
      'validate_iban',
      ['DE89370400440532013000', 'GB82 WEST 1234 5698 7654 32', 'NL91ABNA0417164300'],
      ['DE88370400440532013000', 'DE89', 'XX00123', 'DE89-3704-0044-0532-0130-00', '💶'],
    ],
    [
      'validate_luhn',
      ['4539 1488 0343 6467', '79927398713012'.slice(0, 0) || '4111111111111111'],
      ['4539148803436468', '1234', 'abcd', '4111-1111-1111-111x'],
    ],
    [
      'validate_url',
      ['https://example.com/a?b=c', 'http://[::1]:8080/'],
      ['example.com', 'javascript:alert(1)', 'ftp://example.com', 'https://', 'https://a b.de', 'http:///x'],
    ],
    ['validate_password', ['correct horse', 'xK9-ü3~pQ'], ['short', 'password', 'aaaaaaaaaaa', '12345678']],
  ])('%s tells right from wrong', (name, right, wrong) => {
    for (const value of right) expect(refusal(name, { value }), value).toBe('answered undefined');
    for (const value of wrong) expect(refusal(name, { value }), value).toMatch(/^Validation: /);
  });

  it('validate_iban knows each single wrong digit', () => {
    const iban = 'DE89370400440532013000';
    fc.assert(
      fc.property(fc.integer({ min: 2, max: iban.length - 1 }), fc.integer({ min: 1, max: 9 }), (at, by) => {
        const digit = (Number(iban[at]) + by) % 10;
        expect(refusal('validate_iban', { value: iban.slice(0, at) + String(digit) + iban.slice(at + 1) })).toMatch(/^Validation/);
      }),
    );
  });

  it('validate_luhn: every number has exactly one check digit', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{15}$/), (number) => {
        const right = [...'0123456789'].filter((digit) => !refusal('validate_luhn', { value: number + digit }).startsWith('Validation'));
        expect(right).toHaveLength(1);
      }),
    );
  });

  it('validate_email and validate_url keep to the allowed places', () => {
    expect(refusal('validate_email', { value: 'a@sub.example.com', domains: ['example.com'] })).toBe('answered undefined');
    expect(refusal('validate_email', { value: 'a@badexample.com', domains: ['example.com'] })).toMatch(/example\.com/);
    expect(refusal('validate_url', { value: 'https://example.com.evil.org/', hosts: ['example.com'] })).toMatch(/^Validation/);
    expect(refusal('validate_url', { value: 'https://example.com@evil.org/', hosts: ['example.com'] })).toMatch(/^Validation/);
  });

  it('validate_password asks for kinds of characters, and nothing of its owner', () => {
    expect(refusal('validate_password', { value: 'abcdefgh', require: ['upper', 'digit'] })).toBe(
      'Validation: must hold a capital letter and a digit',
    );
    expect(refusal('validate_password', { value: 'ada.lovelace99', not_like: ['Lovelace', null] })).toBe(
      'Validation: is too easy to guess',
    );
  });

  it('validate_price counts digits exactly', () => {
    expect(refusal('validate_price', { value: '19.90' })).toBe('answered undefined');
    expect(refusal('validate_price', { value: '0.300', decimals: 1 })).toBe('answered undefined');
    expect(refusal('validate_price', { value: '19.999' })).toMatch(/2 digits/);
    expect(refusal('validate_price', { value: -1 })).toMatch(/at least 0/);
    expect(refusal('validate_price', { value: '100000000000000000000.01', max: '100000000000000000000' })).toMatch(/at most/);
    expect(refusal('validate_price', { value: 1e-9 })).toMatch(/digits/);
  });
});

describe('transforms', () => {
  it('slugify makes paths of any text, and never a reserved word', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.integer({ min: 1, max: 60 }), (value, most) => {
        const slug = run('slugify', { value, max_length: most, reserved: [] }) as string | null;
        if (slug !== null) expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
        expect((slug ?? '').length).toBeLessThanOrEqual(most);
      }),
    );
    expect(run('slugify', { value: 'Admin' })).toBe('admin-1');
    expect(run('slugify', { value: '!!!' })).toBeNull();
  });

  it('normalizing twice changes nothing more', () => {
    for (const name of ['normalize_email', 'normalize_whitespace', 'normalize_unicode']) {
      fc.assert(
        fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (value) => {
          const once = run(name, { value });
          expect(run(name, { value: once }) ?? once, name).toEqual(once);
        }),
      );
    }
    expect(run('normalize_phone', { value: run('normalize_phone', { value: '(030) 90 18 20', country: 'de' }) })).toBe('+4930901820');
  });

  it('mask shows its ends and no more', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.nat(5), fc.nat(5), (value, start, end) => {
        const hidden = run('mask', { value, start, end, character: '•' }) as string;
        expect([...hidden]).toHaveLength([...value].length);
        if ([...value].length <= start + end) expect(hidden).toBe('•'.repeat([...value].length));
      }),
    );
  });

  it('hash is the digest of the text', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(run('hash', { value })).toBe(createHash('sha256').update(value).digest('hex'));
      }),
    );
  });

  it('calculate_age agrees with counting birthdays', () => {
    const day = fc
      .date({ min: new Date('1900-01-01'), max: new Date('2026-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
    fc.assert(
      fc.property(day, day, (birth, at) => {
        fc.pre(birth <= at);
        let years = 0;
        while (`${String(Number(birth.slice(0, 4)) + years + 1).padStart(4, '0')}${birth.slice(4)}` <= at) years++;
        expect(run('calculate_age', { value: birth, at })).toBe(years);
      }),
    );
    expect(run('calculate_age', { value: '2008-02-29', at: '2026-02-28' })).toBe(17);
    expect(run('calculate_age', { value: '2008-02-29' })).toBe(18);
    expect(refusal('calculate_age', { value: '2027-01-01' })).toMatch(/future/);
    expect(refusal('calculate_age', { value: '1990-02-30' })).toMatch(/^Validation/);
  });

  it('parse_date reads back what was written in its form', () => {
    const date = fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    const forms = fc.constantFrom('DD.MM.YYYY', 'MM/DD/YYYY', 'YYYYMMDD', 'YYYY-MM-DD');
    fc.assert(
      fc.property(date, forms, (moment, format) => {
        const iso = moment.toISOString().slice(0, 10);
        const [year = '', month = '', day = ''] = iso.split('-');
        const text = format.replace('YYYY', year).replace('MM', month).replace('DD', day);
        expect(run('parse_date', { value: text, formats: [format] })).toBe(iso);
      }),
    );
    expect(refusal('parse_date', { value: '31.02.2026', formats: ['DD.MM.YYYY'] })).toMatch(/^Validation/);
    expect(refusal('parse_date', { value: '1.2.26', formats: ['DD.MM.YYYY'] })).toMatch(/DD\.MM\.YYYY/);
  });

  it('format_currency keeps every digit of a large amount', () => {
    expect(run('format_currency', { value: '12345678901234567.89', currency: 'EUR', locale: 'en' })).toBe('€12,345,678,901,234,567.89');
    expect(refusal('format_currency', { value: 1, currency: 'XXZ' })).toMatch(/ISO 4217/);
    expect(refusal('format_currency', { value: 1, currency: 'EUR', locale: 'not a locale!' })).toMatch(/language tag/);
  });

  it('generated codes have their length and alphabet, and do not repeat', () => {
    const codes = Array.from({ length: 2_000 }, () => run('generate_code', { length: 12, prefix: 'V-' }) as string);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(code).toMatch(/^V-[2-9A-HJKMNP-Z]{12}$/);
    expect(run('generate_api_key', {})).toMatch(/^key_[0-9A-Za-z]{43}$/);
    const counts = new Map<string, number>();
    for (const code of codes) for (const letter of code.slice(2)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    const expected = (2_000 * 12) / 31;
    for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(expected * 0.25);
  });

  it('hash_password refuses what would cost too much', async () => {
    expect(await run('hash_password', { value: 'secret' })).toBe('hashed 6');
    expect(refusal('hash_password', { value: 'x'.repeat(1_001) })).toMatch(/1,000/);
  });
});
