/**
 * What an author says about one step between two versions (`migrate: [...]` beside a document): how values get from the old
 * shape into the new one and back. Kept with the changes of the version, never in its document.
 */
import { z } from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'must match [a-z][a-z0-9_]* and have at most 63 characters');
/** JSONata over `record`, the record in the other shape; must compile to SQL. */
const expression = z.string().min(1).max(10_000);
const expressions = z.record(name, expression);
/** A field that keeps its name, or gets another. */
const carried = z.union([name, z.strictObject({ from: name, to: name })]);
const fieldPath = z.string().regex(/^[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$/, 'must be like "order.city"');

export const instructionSchema = z.union([
  /** `entity` and `field` as the old version has them; without a field the entity is renamed. */
  z.strictObject({ rename: z.strictObject({ entity: name, field: name.optional(), to: name }) }),
  z.strictObject({ rename: z.strictObject({ relation: name, to: name }) }),
  /** `up` makes the new value of the old record, `down` the old one of the new record. */
  z.strictObject({ convert: z.strictObject({ entity: name, field: name, up: expression.optional(), down: expression.optional() }) }),
  /** Split and merge: `from` are fields of the old version, `to` fields of the new one. */
  z.strictObject({
    transform: z.strictObject({
      entity: name,
      from: z.array(name).min(1).max(16),
      to: z.array(name).min(1).max(16),
      up: expressions,
      down: expressions.default({}),
    }),
  }),
  /** The value of a field where a record has none; old clients may go on leaving it out. */
  z.strictObject({ fill: z.strictObject({ entity: name, field: name, expression }) }),
  z.strictObject({ move: z.strictObject({ from: fieldPath, to: fieldPath, via: name }) }),
  /** `fields` of the records of `entity` go into one record each of the new entity `into`, whose relation `via` leads back. */
  z.strictObject({ split: z.strictObject({ entity: name, fields: z.array(carried).min(1).max(64), into: name, via: name }) }),
  /** The other way: `fields` of `entity`, which is no longer there, go into the records of `into` that its relation `via` leads to. */
  z.strictObject({ merge: z.strictObject({ entity: name, into: name, fields: z.array(carried).min(1).max(64), via: name }) }),
  /** Says that what vanishes is meant to. */
  z.strictObject({ drop: z.strictObject({ entity: name, field: name.optional() }) }),
  z.strictObject({ drop: z.strictObject({ relation: name }) }),
]);

export const instructionsSchema = z.array(instructionSchema).max(1000);
export type Instruction = z.infer<typeof instructionSchema>;
