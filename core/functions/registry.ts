/** All functions by name: what a document may attach, a workflow may call and `GET _admin/functions` lists. */
import { z } from 'zod';
import type { FunctionSpec } from './function.ts';
import { REACHING } from './reaching.ts';
import { PURE_HOOKS, TRANSFORMS } from './transforms.ts';
import { VALIDATORS } from './validators.ts';

export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map(
  [...VALIDATORS, ...TRANSFORMS, ...PURE_HOOKS, ...REACHING].map((spec) => [spec.name, spec]),
);

export interface DescribedFunction {
  readonly name: string;
  readonly kind: FunctionSpec['kind'];
  readonly summary: string;
  /** Where it runs: inside the write, or after its commit. */
  readonly runs: 'in_the_write' | 'after_the_commit';
  readonly parameters: unknown;
  readonly returns: FunctionSpec['returns'];
  readonly errors: FunctionSpec['errors'];
  readonly examples: FunctionSpec['examples'];
}

/** Each as a client reads it, its parameters as a JSON Schema. */
export const describeFunctions = (): DescribedFunction[] =>
  [...FUNCTIONS.values()].map(({ name, kind, summary, parameters, returns, errors, examples, run }) => {
    const { $schema: _, ...schema } = z.toJSONSchema(parameters, { io: 'input', unrepresentable: 'any' });
    return {
      name,
      kind,
      summary,
      runs: run === undefined ? 'after_the_commit' : 'in_the_write',
      parameters: schema,
      returns,
      errors,
      examples,
    };
  });
