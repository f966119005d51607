/**
 * An attachment is one use of a function, or of a script, by an entity. When it runs follows from its event and its function:
 * pure functions and scripts of `before_` events run inside the write, everything else after the commit, from the event log.
 */
import { compileExpression, type CompiledExpression } from '../expression/expression.ts';
import type { FunctionAttachment, FunctionEvent } from '../model/document.ts';
import type { EntityModel, FieldModel } from '../model/model.ts';
import type { FunctionSpec } from './function.ts';
import { FUNCTIONS } from './registry.ts';
import { compileValue, type CompiledValue } from './values.ts';

export interface CompiledAttachment {
  readonly definition: FunctionAttachment;
  /** Undefined for a script. */
  readonly spec: FunctionSpec | undefined;
  readonly events: readonly FunctionEvent[];
  /** The field it is about; on an update it runs when that changed. */
  readonly field: FieldModel | undefined;
  readonly into: FieldModel | undefined;
  readonly when: CompiledExpression | undefined;
  readonly params: readonly (readonly [string, CompiledValue])[];
  /** It asks other records whether its result is free. */
  readonly isUnique: boolean;
}

export const eventsOf = ({ on }: Pick<FunctionAttachment, 'on'>): readonly FunctionEvent[] => (Array.isArray(on) ? on : [on]);

/** Compiles what the reviewer let pass. */
export function compileAttachment(definition: FunctionAttachment, entity: EntityModel): CompiledAttachment {
  const spec = definition.function === undefined ? undefined : FUNCTIONS.get(definition.function);
  return {
    definition,
    spec,
    events: eventsOf(definition),
    field: entity.fields.get(definition.field ?? ''),
    into: entity.fields.get(intoOf(definition, spec) ?? ''),
    when: definition.when === undefined ? undefined : compileExpression(definition.when),
    params: Object.entries(paramsOf(definition, spec)).map(([name, given]) => [name, compileValue(given)] as const),
    isUnique: definition.params['unique'] === true,
  };
}

/** A function about a field takes its value from there when nothing else is said. */
export const paramsOf = (definition: FunctionAttachment, spec: FunctionSpec | undefined): Readonly<Record<string, unknown>> => {
  const isOpen =
    definition.field !== undefined && definition.params['value'] === undefined && spec?.parameters.shape['value'] !== undefined;
  return isOpen ? { value: `record.${String(definition.field)}`, ...definition.params } : definition.params;
};

/** A transform of a field puts its result back there when nothing else is said. */
export const intoOf = ({ into, field }: FunctionAttachment, spec: FunctionSpec | undefined): string | undefined =>
  into ?? (spec?.kind === 'transform' ? field : undefined);

/** True when it runs inside the write and not after its commit. */
export function runsInWrite(definition: FunctionAttachment, event: FunctionEvent): boolean {
  if (event.startsWith('before_')) return true;
  if (event !== 'field_change' || definition.async === true || definition.function === undefined) return false;
  const spec = FUNCTIONS.get(definition.function);
  return spec?.run !== undefined;
}

type WriteAction = 'create' | 'update' | 'delete';

/** The attachments that run inside a write, by what it does. */
export function compileFunctions(entity: EntityModel): Readonly<Record<WriteAction, readonly CompiledAttachment[]>> {
  const compiled = entity.functions.map((definition) => compileAttachment(definition, entity));
  const of = (action: WriteAction): CompiledAttachment[] =>
    compiled.filter(({ definition, events }) =>
      events.some(
        (event) => runsInWrite(definition, event) && (event === `before_${action}` || (event === 'field_change' && action === 'update')),
      ),
    );
  return { create: of('create'), update: of('update'), delete: of('delete') };
}

/** Clients need not give a required field that a function fills whenever a record is created. */
export const isFilledByFunction = (entity: Pick<EntityModel, 'functions'>, field: string): boolean =>
  entity.functions.some(
    (one) =>
      one.when === undefined &&
      eventsOf(one).includes('before_create') &&
      one.function !== undefined &&
      one.field !== field &&
      intoOf(one, FUNCTIONS.get(one.function)) === field,
  );
