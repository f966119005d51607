/**
 * Who gains and who loses access by a draft of permissions, before it is published: role by role, and user by user with the records
 * that they would reach and those that they would no longer. Asked of the same compiled policies that requests meet.
 */
import { ROWS_ALIAS } from '../../core/filter/statements.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { permissionImpact as impactSchema } from '../../core/payloads/trials.ts';
import { RECORD_ACTIONS, type Access, type RecordAction } from '../../core/policy/access.ts';
import { accessFor } from '../../core/policy/policy.ts';
import { id, literal, raw, render, sql, type Sql } from '../../core/sql/sql.ts';
import { run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { Actor, AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { actorOfRole, rolesOf } from './matrix.ts';
import { reachable, withDraft, type Decision } from './simulate.ts';

export interface Impact {
  readonly changes: readonly AccessChange[];
  readonly users: { readonly considered: number; readonly total: number };
}

export interface AccessChange {
  readonly role: string | null;
  readonly user: { readonly id: string; readonly email: string } | null;
  readonly entity: string;
  readonly action: RecordAction;
  readonly before: Decision['decision'];
  readonly after: Decision['decision'];
  /** `both`: some records or fields come, others go. `unclear`: of a role, where it depends on who has it. */
  readonly effect: 'gains' | 'loses' | 'both' | 'unclear';
  /** Of a user, how many records come and go; null for a role, a create, and what was too much to count. */
  readonly rows: { readonly gained: number; readonly lost: number } | null;
  /** `changed`: open in some records before and after, but by another condition. */
  readonly fields: { readonly gained: readonly string[]; readonly lost: readonly string[]; readonly changed: readonly string[] };
}

const MAX_USERS = 500;
const MAX_COUNTS = 300;

export async function permissionImpact(ctx: AppContext, given: unknown): Promise<Impact> {
  const body = readPayload(impactSchema, given, 'permissions/impact');
  const { after = ctx } = withDraft(ctx, body.draft);
  return transaction(ctx.services.pool, async (db) => {
    await run(db, raw('set transaction read only'));
    const { users, total } = await usersOf(ctx, db);
    const roles = rolesOf(after.app.model.document).map((role) => ({ role, user: null, actor: actorOfRole(role) }));
    const people = users.map((actor) => ({ role: null, user: { id: actor.id ?? '', email: actor.email ?? '' }, actor }));
    const comparison = new Comparison(ctx, after, db);
    const changes: AccessChange[] = [];
    for (const { actor, ...who } of [...roles, ...people])
      for (const change of await comparison.changesFor(actor, who.user !== null)) changes.push({ ...who, ...change });
    return { changes, users: { considered: users.length, total } };
  });
}

/** Active users who are asked for permissions, the first of them by their mail. */
async function usersOf(ctx: AppContext, db: Db): Promise<{ users: Actor[]; total: number }> {
  const rows = await run<{ id: string; email: string; roles: string[]; total: number }>(
    db,
    sql`select id::text as id, email, roles, (count(*) over ())::integer as total from ${id(ctx.app.storage, '_users')}
      where active and not exists (select from unnest(roles) as r where lower(r) = 'admin') order by email limit ${literal(String(MAX_USERS))}`,
  );
  const users = rows.map(({ id: key, email, roles }): Actor => {
    return { kind: 'user', id: key, email, roles: roles.map((role) => role.toLowerCase()), isAdmin: false, sessionId: null };
  });
  return { users, total: rows[0]?.total ?? 0 };
}

type Change = Omit<AccessChange, 'role' | 'user'>;
type Rows = NonNullable<AccessChange['rows']>;

class Comparison {
  readonly #before: AppContext;
  readonly #after: AppContext;
  readonly #db: Db;
  /** By the two statements: callers with the same roles are asked once, unless their own values are part of it. */
  readonly #counted = new Map<string, Rows>();

  constructor(before: AppContext, after: AppContext, db: Db) {
    this.#before = before;
    this.#after = after;
    this.#db = db;
  }

  async changesFor(actor: Actor, isUser: boolean): Promise<Change[]> {
    const changes: Change[] = [];
    for (const entity of this.#after.app.model.entities.values())
      for (const action of RECORD_ACTIONS) {
        const change = await this.#change(actor, entity, action, isUser);
        if (change !== undefined) changes.push(change);
      }
    return changes;
  }

  async #change(actor: Actor, entity: EntityModel, action: RecordAction, isUser: boolean): Promise<Change | undefined> {
    const [now, then] = [this.#before, this.#after].map((ctx) => accessFor(ctx.app, actor, entity, action, ctx.now));
    if (now === undefined || then === undefined) return undefined;
    const own = { ...this.#before, actor };
    const next = { ...this.#after, actor };
    const [nowRows, thenRows] = action === 'create' ? [] : [reachable(own, entity, { action }), reachable(next, entity, { action })];
    const isSameReach =
      action === 'create' ? textOf(now.where(ROWS_ALIAS)) === textOf(then.where(ROWS_ALIAS)) : textOf(nowRows) === textOf(thenRows);
    const fields = fieldChanges(entity, now, then);
    const hasOtherFields = fields.gained.length + fields.lost.length + fields.changed.length > 0;
    if (isSameReach && now.isGranted === then.isGranted && !hasOtherFields) return undefined;
    const rows = isUser && nowRows !== undefined && thenRows !== undefined && !isSameReach ? await this.#count(nowRows, thenRows) : null;
    const decided = { before: decisionOf(now), after: decisionOf(then) };
    // Whoever reaches the same records through the same fields neither gains nor loses, however it is written.
    if (rows?.gained === 0 && rows.lost === 0 && decided.before === decided.after && !hasOtherFields) return undefined;
    return { entity: entity.name, action, ...decided, effect: effectOf(decided, rows, fields), rows, fields };
  }

  async #count(now: Sql, then: Sql): Promise<Rows | null> {
    const key = `${textOf(now)} ${textOf(then)}`;
    const known = this.#counted.get(key);
    if (known !== undefined) return known;
    if (this.#counted.size >= MAX_COUNTS) return null;
    const [row] = await run<{ gained: number; lost: number }>(
      this.#db,
      sql`select (select count(*)::integer from (${then} except ${now}) "g") as gained,
        (select count(*)::integer from (${now} except ${then}) "l") as lost`,
    );
    const rows = row ?? { gained: 0, lost: 0 };
    this.#counted.set(key, rows);
    return rows;
  }
}

function textOf(part: Sql | undefined): string {
  if (part === undefined) return '';
  const { text, values } = render(part);
  return JSON.stringify([text, values]);
}

const decisionOf = (access: Access): Decision['decision'] =>
  !access.isGranted ? 'denied' : access.where(ROWS_ALIAS) === undefined ? 'allowed' : 'filtered';

const OPENNESS = { never: 0, conditional: 1, always: 2 } as const;

function fieldChanges(entity: EntityModel, now: Access, then: Access): Change['fields'] {
  // Without any access before or after, the fields say nothing that the decision does not.
  if (!now.isGranted || !then.isGranted) return { gained: [], lost: [], changed: [] };
  const names = [...entity.fields.keys()];
  const step = (name: string): number => OPENNESS[then.field(name).mode] - OPENNESS[now.field(name).mode];
  const isOtherwise = (name: string): boolean =>
    step(name) === 0 && textOf(now.field(name).when?.(ROWS_ALIAS)) !== textOf(then.field(name).when?.(ROWS_ALIAS));
  return {
    gained: names.filter((name) => step(name) > 0),
    lost: names.filter((name) => step(name) < 0),
    changed: names.filter(isOtherwise),
  };
}

const REACH = { denied: 0, filtered: 1, allowed: 2 } as const;

function effectOf(decided: Pick<Change, 'before' | 'after'>, rows: Rows | null, fields: Change['fields']): Change['effect'] {
  const step = REACH[decided.after] - REACH[decided.before];
  const isGain = step > 0 || (rows?.gained ?? 0) > 0 || fields.gained.length > 0;
  const isLoss = step < 0 || (rows?.lost ?? 0) > 0 || fields.lost.length > 0;
  if (isGain && isLoss) return 'both';
  return isGain ? 'gains' : isLoss ? 'loses' : 'unclear';
}
