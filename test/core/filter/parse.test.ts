import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../../core/errors.ts';
import { parseAggregateBody } from '../../../core/filter/aggregate-query.ts';
import { parseListQuery, parseQueryBody, parseRecordQuery } from '../../../core/filter/parse.ts';
import '../../support/fixed-seed.ts';

const parse = (text: string): ReturnType<typeof parseListQuery> => parseListQuery(new URLSearchParams(text));

describe('parsing a query', () => {
  it('reads the same from dots, brackets and arrays', () => {
    const wanted = { kind: 'leaf', path: ['customer', 'name', 'in'], operator: undefined, operand: { kind: 'text', texts: ['a', 'b'] } };
    expect(parse('filter[customer.name.in]=a&filter[customer.name.in]=b').filter).toEqual(wanted);
    expect(parse('filter[customer][name][in][]=a&filter[customer.name.in][]=b').filter).toEqual(wanted);
    expect(parse('filter[customer][name.in][0]=a&filter[customer][name.in][1]=b').filter).toEqual(wanted);
  });

  it('reads sorts in both spellings', () => {
    expect(parse('sort=name,-created_at').sort).toEqual(parse('sort=name:asc,created_at:desc').sort);
    expect(parse('sort=name&sort=-created_at').sort).toEqual(parse('sort=name,-created_at').sort);
  });

  it('reads a body as it reads a query string', () => {
    expect(parseQueryBody({ sort: ['-a', 'b'], page: 2, per_page: '10', count: 'none', include: 'x,y.z', fields: ['a', 'b.c'] })).toEqual(
      parse('sort=-a,b&page=2&per_page=10&count=none&include=x,y.z&fields=a,b.c'),
    );
  });

  it('refuses members it does not know, even when they are null', () => {
    for (const read of [parseQueryBody, parseAggregateBody]) {
      expect(() => read({ q: null, filter: null })).not.toThrow();
      expect(() => read({ nothing: null })).toThrow('There is no parameter "nothing" here.');
    }
  });

  it('takes the JSON type of each member of a body, and no other', () => {
    expect(parseQueryBody({ page: 2, per_page: '10', with_deleted: true })).toMatchObject({ page: 2, perPage: 10, withDeleted: true });
    expect(parseQueryBody({ with_deleted: 'only' })).toMatchObject({ withDeleted: true, onlyDeleted: true });
    for (const body of [
      { q: false },
      { q: 5 },
      { per_page: false },
      { count: 1 },
      { cursor: 0 },
      { with_deleted: 'true' },
      { sort: 1 },
      { sort: ['a', ' '] },
      { fields: ['a,'] },
    ])
      expect(() => parseQueryBody(body)).toThrow(`"${Object.keys(body)[0]}" must be`);
  });

  it('takes twenty names to include, however often they repeat', () => {
    const names = (n: number): string[] => Array.from({ length: n }, () => 'agent');
    expect(parseQueryBody({ include: names(20) }).include).toHaveLength(20);
    expect(() => parseQueryBody({ include: names(21) })).toThrow('At most 20 relations');
    expect(() => parse(`include=${names(21).join()}`)).toThrow('At most 20 relations');
  });

  it('takes an empty list of includes at the lowest place', () => {
    const deep = (last: unknown): unknown => ({ relation: 'a', include: [{ relation: 'b', include: [{ relation: 'c', include: last }] }] });
    expect(() => parseQueryBody({ include: [deep(['d'])] })).toThrow('at most 3 deep');
    expect(parseQueryBody({ include: [deep([])] }).include).toHaveLength(3);
  });

  it('takes equality in a short form and branches in any order', () => {
    expect(parseQueryBody({ filter: { status: 'open' } }).filter).toEqual({
      kind: 'leaf',
      path: ['status'],
      operator: undefined,
      operand: { kind: 'json', value: 'open' },
    });
    expect(parseQueryBody({ filter: { not: { or: [{ field: 'a', op: 'gt', value: 1 }] } } }).filter).toEqual({
      kind: 'not',
      item: { kind: 'or', items: [{ kind: 'leaf', path: ['a'], operator: 'gt', operand: { kind: 'json', value: 1 } }] },
    });
  });

  it('refuses trees that are too deep before they are walked further', () => {
    let tree: unknown = { field: 'a', op: 'eq', value: 1 };
    for (let i = 0; i < 5000; i++) tree = { not: tree };
    expect(() => parseQueryBody({ filter: tree })).toThrow('nested');
  });

  it('answers or refuses whatever arrives, and never anything else', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('filter', 'filter[a]', 'filter[a][b]', 'sort', 'page', 'fields', 'include', '[', ']', '{}'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 6 }), fc.json(), (entries, json) => {
        for (const work of [
          () => parseListQuery(new URLSearchParams(entries)),
          () => parseRecordQuery(new URLSearchParams(entries)),
          () => parseQueryBody(JSON.parse(json)),
        ]) {
          try {
            work();
          } catch (error) {
            expect(isAppError(error)).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
