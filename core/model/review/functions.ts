/** Checks of attached functions: that they exist, that their parameters fit, and that their results have somewhere to go. */
import { AppError, nearestNames } from '../../errors.ts';
import { eventsOf, intoOf, paramsOf, runsInWrite } from '../../functions/attachment.ts';
import type { FunctionSpec, ResultKind } from '../../functions/function.ts';
import { FUNCTIONS } from '../../functions/registry.ts';
import { compileValue, fieldsReadBy, type CompiledValue } from '../../functions/values.ts';
import type { FieldDefinition, FunctionAttachment } from '../document.ts';
import { fieldName } from '../model.ts';
import { reviewPaths } from './rules.ts';
import type { Review } from './review.ts';

export function reviewFunctions(review: Review): void {
  const { functions } = review.document;
  review.unique(
    functions.map(({ entity, name }, index) => ({ name: `${entity}: ${name}`, path: `functions.${String(index)}.name` })),
    'the name of a function attachment',
  );
  functions.forEach((one, index) => {
    const path = `functions.${String(index)}`;
    if (!review.requireEntity(`${path}.entity`, one.entity)) return;
    reviewAttachment(review, one, path);
  });
}

function reviewAttachment(review: Review, one: FunctionAttachment, path: string): void {
  for (const key of ['field', 'into'] as const) {
    const named = one[key];
    if (named !== undefined) review.requireField(`${path}.${key}`, one.entity, named);
  }
  reviewPaths(review, review.expression(`${path}.when`, one.when), one.entity, `${path}.when`);
  if (eventsOf(one).includes('field_change') && one.field === undefined)
    review.error(`${path}.field`, 'required', `${path}: field_change needs "field", the field whose change runs it.`);
  if (one.script !== undefined) return reviewScript(review, one, path);
  const spec = specOf(review, one, path);
  if (spec === undefined) return;
  reviewEvents(review, one, spec, path);
  reviewParameters(review, one, spec, path);
  reviewResult(review, one, spec, path);
}

function specOf(review: Review, { function: name }: Pick<FunctionAttachment, 'function'>, path: string): FunctionSpec | undefined {
  if (name === undefined) {
    review.error(`${path}.function`, 'required', `${path}: name a "function" of the registry, or give a "script".`);
    return undefined;
  }
  const spec = FUNCTIONS.get(name);
  if (spec !== undefined) return spec;
  const near = nearestNames(name, FUNCTIONS.keys());
  review.error(
    `${path}.function`,
    'unknown_function',
    `${path}.function: there is no function "${name}".${near.length === 0 ? '' : ` Near: ${near.join(', ')}.`}`,
    near,
  );
  return undefined;
}

/** A step of a workflow that calls a function; its values are paths of the run, so only the names are judged. */
export function reviewCall(
  review: Review,
  call: { readonly function: string; readonly params: Readonly<Record<string, unknown>> },
  path: string,
): void {
  const spec = specOf(review, call, path);
  if (spec === undefined) return;
  const shape = shapeOf(spec);
  for (const name of Object.keys(call.params)) if (!Object.hasOwn(shape, name)) unknownParameter(review, spec, name, path);
  requireParameters(review, spec, call.params, path);
}

interface Parameter {
  safeParse(value: unknown): { readonly success: boolean; readonly error?: { readonly issues: readonly { readonly message: string }[] } };
}

const shapeOf = (spec: FunctionSpec): Readonly<Record<string, Parameter>> => spec.parameters.shape as Readonly<Record<string, Parameter>>;

function unknownParameter(review: Review, spec: FunctionSpec, name: string, path: string): void {
  const known = Object.keys(shapeOf(spec));
  const at = `${path}.params.${name}`;
  review.error(
    at,
    'unknown_parameter',
    `${at}: ${spec.name} has no parameter "${name}". It takes ${known.join(', ')}.`,
    nearestNames(name, known),
  );
}

function requireParameters(review: Review, spec: FunctionSpec, params: Readonly<Record<string, unknown>>, path: string): void {
  for (const [name, schema] of Object.entries(shapeOf(spec))) {
    if (Object.hasOwn(params, name) || schema.safeParse(undefined).success) continue;
    review.error(`${path}.params.${name}`, 'required', `${path}.params: ${spec.name} needs the parameter "${name}".`);
  }
}

function reviewScript(review: Review, one: FunctionAttachment, path: string): void {
  if (one.function !== undefined)
    review.error(`${path}.script`, 'exclusive', `${path}: it is either a "function" or a "script", not both.`);
  for (const key of ['into', 'message'] as const)
    if (one[key] !== undefined)
      review.error(`${path}.${key}`, 'exclusive', `${path}.${key}: a script returns the record and says its own words.`);
  if (Object.keys(one.params).length > 0) review.error(`${path}.params`, 'exclusive', `${path}.params: a script takes no parameters.`);
  if (review.document.settings.scripts) return;
  review.find({
    id: `scripts-off:${one.entity}:${one.name}`,
    level: 'warning',
    path: `${path}.script`,
    message: `The script ${one.name} of ${one.entity} does not run: settings.scripts is not true.`,
    consequence: 'Writes go on as if it were not there.',
    fix: 'Set settings.scripts to true; the server must allow scripts too (SCRIPTS_ENABLED).',
  });
}

function reviewEvents(review: Review, one: FunctionAttachment, spec: FunctionSpec, path: string): void {
  for (const event of eventsOf(one)) {
    if (event.startsWith('before_') && spec.run === undefined)
      review.error(
        `${path}.on`,
        'event',
        `${path}.on: ${spec.name} reaches out of the write, so it runs on ${event.replace('before', 'after')}, not on ${event}.`,
      );
    if (event.startsWith('before_') && one.async === true)
      review.error(`${path}.async`, 'exclusive', `${path}.async: what runs on ${event} is part of the write and cannot be asynchronous.`);
    if (event.startsWith('after_') && spec.kind === 'validator')
      review.error(
        `${path}.on`,
        'event',
        `${path}.on: ${spec.name} can refuse a write only before it: ${event.replace('after', 'before')}.`,
      );
    if (event.startsWith('after_') && spec.name === 'refuse')
      review.error(`${path}.on`, 'event', `${path}.on: a write can be refused only before it: ${event.replace('after', 'before')}.`);
    if (event.endsWith('_delete') && intoOf(one, spec) !== undefined)
      review.error(`${path}.into`, 'event', `${path}.into: on ${event} there is no record to put a result into.`);
  }
}

function reviewParameters(review: Review, one: FunctionAttachment, spec: FunctionSpec, path: string): void {
  const params = paramsOf(one, spec);
  const shape = shapeOf(spec);
  for (const [name, given] of Object.entries(params)) {
    const at = `${path}.params.${name}`;
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (schema === undefined) {
      unknownParameter(review, spec, name, path);
      continue;
    }
    const compiled = compiledOf(review, given, at);
    if (compiled === undefined) continue;
    for (const field of fieldsReadBy(compiled)) review.requireField(at, one.entity, field);
    if (compiled.kind !== 'literal') continue;
    const read = schema.safeParse(compiled.value);
    if (!read.success) review.error(at, 'parameter', `${at}: ${read.error?.issues[0]?.message ?? 'does not fit'}.`);
  }
  requireParameters(review, spec, params, path);
}

function compiledOf(review: Review, given: unknown, at: string): CompiledValue | undefined {
  try {
    return compileValue(given);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    review.error(at, 'expression', `${at}: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`);
    return undefined;
  }
}

const TAKES: Readonly<Record<Exclude<ResultKind, 'none' | 'json'>, readonly FieldDefinition['type'][]>> = {
  text: ['string', 'text', 'email', 'url', 'enum', 'json'],
  number: ['int', 'bigint', 'float', 'decimal', 'string', 'text', 'json'],
  boolean: ['boolean', 'string', 'text', 'json'],
  date: ['date', 'timestamp', 'string', 'text', 'json'],
};

function reviewResult(review: Review, one: FunctionAttachment, spec: FunctionSpec, path: string): void {
  const into = intoOf(one, spec);
  if (spec.kind === 'transform' && into === undefined)
    review.error(`${path}.into`, 'required', `${path}: ${spec.name} answers a value; say with "into" which field gets it.`);
  if (into === undefined) return;
  if (spec.returns === 'none') {
    review.error(`${path}.into`, 'type', `${path}.into: ${spec.name} answers nothing that a field could take.`);
    return;
  }
  const field = review.entities.get(one.entity)?.fields.find((candidate) => fieldName(candidate) === into);
  if (field === undefined) return;
  if (spec.returns !== 'json' && !TAKES[spec.returns].includes(field.type))
    review.error(`${path}.into`, 'type', `${path}.into: ${spec.name} answers ${spec.returns}, and ${into} is of type ${field.type}.`);
  if (one.params['unique'] === true && !field.unique && review.entities.get(one.entity)?.slug?.field !== into)
    review.error(
      `${path}.into`,
      'unique',
      `${path}.into: with unique: true the field ${into} must be unique, else two writes at one moment may get the same.`,
    );
  const isLoop = eventsOf(one).some((event) => !runsInWrite(one, event) && (event === 'after_update' || event === 'field_change'));
  if (isLoop && one.when === undefined && one.field === into)
    review.find({
      id: `function-loop:${one.entity}:${one.name}`,
      level: 'warning',
      path: `${path}.into`,
      message: `The function ${one.name} changes ${into}, whose change runs it again.`,
      consequence: 'It runs until nothing changes any more, at most eight times.',
      fix: 'Use before_update, or say with "when" in which case it is to run.',
    });
}
