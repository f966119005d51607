/** What a record's state fields may become now, for this caller: the same decision as a write would meet. */
import { columnOf } from '../../core/filter/scope.ts';
import { visibleRows } from '../../core/filter/compile.ts';
import { ROWS_ALIAS } from '../../core/filter/statements.ts';
import { transitionsFrom } from '../../core/machine/machine.ts';
import { isEmpty } from '../../core/rules/field-rule.ts';
import type { CompiledMachine } from '../../core/rules/plan.ts';
import { holding, type Access } from '../../core/policy/access.ts';
import { accessFor } from '../../core/policy/policy.ts';
import { recordJson } from '../../core/sql/columns.ts';
import { and, id, join, literal, sql, type Sql } from '../../core/sql/sql.ts';
import { run } from '../../adapters/postgres/run.ts';
import type { AppContext } from '../context.ts';
import { decideMachine } from '../rules/chain.ts';
import { bySlug } from './get.ts';
import { readableEntity, readScope } from './read-scope.ts';
import { notFound, recordCondition } from './record-key.ts';
import { rulesOf } from './write-state.ts';

export interface PossibleTransition {
  readonly to: string;
  readonly allowed: boolean;
  /** Why not: `permission`, `transition` (a role is missing) or `guard`. */
  readonly rule?: string;
  readonly message?: string;
  /** Roles of which one would do. */
  readonly roles?: readonly string[];
}

export interface MachineState {
  readonly field: string;
  readonly state: string | null;
  readonly transitions: readonly PossibleTransition[];
}

type Row = {
  readonly record: string;
  readonly allowed: boolean;
  readonly readable: readonly string[];
  readonly writable: readonly string[];
};

/** One entry per state field the caller may read in this record. */
export async function listTransitions(ctx: AppContext, name: string, recordId: string): Promise<MachineState[]> {
  const scope = readScope(ctx);
  const entity = readableEntity(ctx, scope, name);
  const plan = rulesOf(ctx, entity);
  const machines = plan.machines.filter((machine) => columnOf(scope, entity, machine.field.name) !== undefined);
  const update = accessFor(ctx.app, ctx.actor, entity, 'update', ctx.now);
  const key = recordCondition(bySlug(scope, entity), ctx.app.storage, ROWS_ALIAS, recordId);
  if (key === undefined) throw notFound(entity, recordId);
  const read = scope.access(entity);
  const [row] = await run<Row>(
    ctx.services.pool,
    sql`select ${recordJson(entity, ctx.app.storage, ROWS_ALIAS, ctx.app.model.settings)}::text as record,
      ${update.isGranted ? holding(update.where(ROWS_ALIAS)) : sql`false`} as allowed,
      ${openFields(machines, read)} as readable, ${openFields(machines, update)} as writable
    from ${id(ctx.app.storage, entity.rows)} ${id(ROWS_ALIAS)} where ${and([key, ...visibleRows(scope, entity, ROWS_ALIAS)])} limit 1`,
  );
  if (row === undefined) throw notFound(entity, recordId);
  const old = JSON.parse(row.record) as Record<string, unknown>;
  const states: MachineState[] = [];
  for (const machine of machines) {
    const { name: field } = machine.field;
    if (!row.readable.includes(field)) continue;
    const mayWrite = row.allowed && row.writable.includes(field);
    const stored = old[field];
    const state = isEmpty(stored) ? null : String(stored);
    const ways = transitionsFrom(machine.definition, state ?? machine.definition.definition.initial);
    const targets = [...new Set(ways.map((way) => way.to))].filter((to) => to !== state);
    const transitions: PossibleTransition[] = [];
    for (const to of targets) {
      const input = { ctx, entity, plan, db: ctx.services.pool, action: 'update' as const, old, bad: new Set<string>() };
      // A guard is not judged for who may not write: its answer could tell what the record hides.
      transitions.push(mayWrite ? await possible({ ...input, record: { ...old, [field]: to } }, machine, to) : notWritable(field, to));
    }
    states.push({ field, state, transitions });
  }
  return states;
}

async function possible(input: Parameters<typeof decideMachine>[0], machine: CompiledMachine, to: string): Promise<PossibleTransition> {
  const move = await decideMachine(input, machine);
  if (move.kind === 'allowed' || move.kind === 'unchanged') return { to, allowed: true };
  const { rule = 'transition', message } = move.detail;
  const roles = move.detail['roles'];
  return { to, allowed: false, rule, message, ...(Array.isArray(roles) ? { roles: roles as string[] } : {}) };
}

const notWritable = (field: string, to: string): PossibleTransition => ({
  to,
  allowed: false,
  rule: 'permission',
  message: `You may not change ${field} of this record`,
});

/** The state fields that are open in the row, as a text[]. */
function openFields(machines: readonly CompiledMachine[], access: Access): Sql {
  const names = machines.flatMap(({ field }) => {
    const { mode, when } = access.field(field.name);
    if (mode === 'never') return [];
    const name = literal(field.name);
    return [mode === 'always' || when === undefined ? name : sql`case when ${holding(when(ROWS_ALIAS))} then ${name} end`];
  });
  return sql`array_remove(array[${join(names)}]::text[], null)`;
}
