/**
 * What a function of the registry is. A *pure* one has `run` and depends on nothing but its parameters and the tools it is
 * handed, so it may run inside a write; every other reaches out and is performed by operations/functions, after the commit.
 */
import { z } from 'zod';

export type FunctionKind = 'validator' | 'transform' | 'hook' | 'integration';
/** What a function answers, as far as a field can take it. */
export type ResultKind = 'text' | 'number' | 'boolean' | 'date' | 'json' | 'none';
export type ErrorKind = 'Validation' | 'Authorization' | 'BusinessLogic' | 'ExternalService';

/** A run that ended badly; the message is fit for whoever wrote the record. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** What this pure part cannot do by itself. */
export interface FunctionTools {
  digest(algorithm: 'sha256' | 'sha512', text: string): string;
  /** Keyed by a secret of the app that has this name. */
  hmac(keyName: string, text: string): string;
  random(bytes: number): Uint8Array;
  hashPassword(text: string): Promise<string>;
  readonly now: Date;
}

export interface FunctionExample {
  readonly params: Readonly<Record<string, unknown>>;
  readonly result: unknown;
}

export interface FunctionSpec {
  readonly name: string;
  readonly kind: FunctionKind;
  readonly summary: string;
  readonly parameters: z.ZodObject;
  readonly returns: ResultKind;
  /** What it refuses or fails with, in words. */
  readonly errors: readonly string[];
  readonly examples: readonly FunctionExample[];
  /** Parameters whose values never enter a log. */
  readonly secrets?: readonly string[];
  /** Present when it is pure. */
  readonly run?: (params: Readonly<Record<string, unknown>>, tools: FunctionTools) => unknown;
}

interface Written<P extends z.ZodRawShape> extends Omit<FunctionSpec, 'parameters' | 'run'> {
  readonly parameters: P;
  readonly run?: (params: z.infer<z.ZodObject<P, z.core.$strict>>, tools: FunctionTools) => unknown;
}

/** A function with its parameters typed by their own description. */
export function defined<P extends z.ZodRawShape>({ parameters, run, ...rest }: Written<P>): FunctionSpec {
  const schema = z.strictObject(parameters);
  if (run === undefined) return { ...rest, parameters: schema };
  return { ...rest, parameters: schema, run: (params, tools) => run(readParameters(rest.name, schema, params), tools) };
}

/** The parameters in their types, or a FunctionError that names the first one that is wrong. */
export function readParameters<T>(name: string, schema: z.ZodType<T>, params: unknown): T {
  const read = schema.safeParse(params);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  throw new FunctionError('Validation', `${name}: ${at === '' ? '' : `the parameter "${at}": `}${issue?.message ?? 'wrong parameters'}`);
}

// --- parameters that many take -----------------------------------------------------------------------------------------

/** The value a function is about. Nothing and an empty text pass every validator and every transform. */
export const textValue = (what = 'The text.') => z.string().max(1_000_000).nullish().describe(what);
export const numeric = z
  .union([z.number(), z.string().regex(/^-?\d{1,40}(\.\d{1,40})?$/, 'must be a number')])
  .describe('A number; decimals may be text, so that no digit is lost.');

export const refuse = (message: string): never => {
  throw new FunctionError('Validation', message);
};
