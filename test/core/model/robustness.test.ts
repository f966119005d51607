import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { AppError } from '../../../core/errors.ts';
import type { SchemaDocument } from '../../../core/model/document.ts';
import { exportDocument } from '../../../core/model/export-document.ts';
import { assignIds, EMPTY_DOCUMENT, mergeDocument } from '../../../core/model/merge.ts';
import { buildModel } from '../../../core/model/model.ts';
import { readDocument } from '../../../core/model/read-document.ts';
import { reviewDocument } from '../../../core/model/review.ts';
import '../../support/fixed-seed.ts';

const FIXTURES = new URL('../../fixtures/documents/', import.meta.url);
const documents = readdirSync(FIXTURES).map((name) => parse(readFileSync(new URL(name, FIXTURES), 'utf8')) as unknown);

/** Every place in a value, as paths. */
function placesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, member]) => placesOf(member, [...path, key]))];
}

/** A copy of a value with one place replaced; undefined removes it. */
function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...(value as unknown[])] as unknown as Record<string, unknown>)
    : { ...(value as object) };
  const next = replaced(copy[key], rest, by);
  if (next === undefined && !Array.isArray(copy)) return Object.fromEntries(Object.entries(copy).filter(([name]) => name !== key));
  copy[key] = next;
  return copy;
}

const damage = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    0,
    -1,
    true,
    [],
    {},
    [null],
    'ticket',
    'order',
    'id',
    'record.x ==',
    '*',
    '__proto__',
    'deleted_at',
    'a b',
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

const damaged = fc
  .tuple(fc.constantFrom(...documents), fc.array(fc.tuple(fc.nat(), damage), { minLength: 1, maxLength: 3 }))
  .map(([document, blows]) =>
    blows.reduce<unknown>((value, [at, by]) => {
      const places = placesOf(value);
      return replaced(value, places[at % places.length] ?? [], by);
    }, document),
  );

function tryRead(input: unknown): SchemaDocument | undefined {
  try {
    return readDocument(input);
  } catch (error) {
    if (error instanceof AppError && error.code !== 'INTERNAL_ERROR') return undefined;
    throw error;
  }
}

describe('damaged documents', () => {
  it('are read or refused with a code, never with an accident; what is read survives export, review, merge and compiling', () => {
    fc.assert(
      fc.property(damaged, (input) => {
        const document = tryRead(input);
        if (document === undefined) return;
        expect(readDocument(exportDocument(document))).toEqual(document);
        const { errors } = reviewDocument(document);
        if (errors.length > 0) return;
        let n = 0;
        const { sample_data: _rows, ...rest } = document;
        const merged = mergeDocument(EMPTY_DOCUMENT, document, 'merge').document;
        const identified = assignIds(merged, undefined, () => `id${String((n += 1))}`);
        expect(merged.entities).toEqual(rest.entities);
        for (const entity of buildModel(identified).entities.values()) {
          for (const end of entity.relations) expect(entity.ends.get(end.name)).toBe(end);
        }
      }),
      { numRuns: 400 },
    );
  });
});
