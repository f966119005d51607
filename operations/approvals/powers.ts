/** For whom somebody acts at this moment, as lists of tasks ask it: themselves, and those whose absence names them. */
import { representedBy } from '../../core/approval/handovers.ts';
import { run } from '../../adapters/postgres/run.ts';
import { and, id, or, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { Actor, AppContext, AppRuntime } from '../context.ts';
import { currentAbsences } from './ballot.ts';

export interface Power {
  readonly person: string;
  readonly roles: readonly string[];
  readonly isOwn: boolean;
}

/** The caller first. */
export async function powersOf({ services, app, actor, now }: AppContext): Promise<Power[]> {
  const own: Power = { person: actor.id ?? actor.kind, roles: actor.roles, isOwn: true };
  if (actor.id === null || actor.kind === 'platform' || actor.kind === 'system') return [own];
  const absent = representedBy(actor.id, await currentAbsences(services.pool, app, now.toISOString()));
  if (absent.length === 0) return [own];
  const rows = await run<{ id: string; roles: string[] }>(
    services.pool,
    sql`select id, array(select lower(role) from unnest(roles) role) as roles from ${id(app.storage, '_users')}
        where active and id = any(${value(absent, 'uuid[]')})`,
  );
  return [own, ...rows.map((row) => ({ person: row.id, roles: row.roles, isOwn: false }))];
}

/** Open tasks `t` that wait for the caller, for themselves or for somebody they act for. */
export function waitsFor({ app, actor, now }: AppContext, powers: readonly Power[]): Sql {
  const delegations = id(app.storage, '_delegations');
  const holds = sql`(d.until is null or d.until > ${value(now.toISOString(), 'timestamptz')})`;
  const self = actor.id ?? actor.kind;
  return and([
    or([
      ...powers.map((power) =>
        and([
          sql`(t.users @> array[${value(power.person, 'text')}] or t.roles && ${value([...power.roles], 'text[]')})`,
          sql`not exists (select from ${delegations} d where d.task_id = t.id and d.from_user = ${value(power.person, 'text')} and ${holds})`,
          ...(power.isOwn ? [] : [sql`coalesce(t.settings ->> 'substitution', 'allowed') = 'allowed'`, isNotRequester(power.person)]),
        ]),
      ),
      sql`exists (select from ${delegations} d where d.task_id = t.id and ${holds} and d.to_user::text = any(${value(
        powers.map((power) => power.person),
        'text[]',
      )}))`,
      ...(actor.isAdmin ? [raw('t.admins')] : []),
    ]),
    sql`not exists (select from ${id(app.storage, '_votes')} v where v.task_id = t.id and ${value(self, 'text')} in (v.voter, v.person))`,
    ...(actor.kind === 'user' || actor.kind === 'api_key' ? [isNotRequester(self)] : []),
  ]);
}

const isNotRequester = (person: string): Sql => sql`(t.allow_self_approval or t.requested_by is distinct from ${value(person, 'text')})`;

/** Tasks `mine`, open or not, that name or named the caller, that they voted on or were given. */
export function concerns(app: AppRuntime, actor: Actor, powers: readonly Power[]): Sql {
  const people = powers.map((power) => power.person);
  const named = powers.flatMap((power) => [
    { assignees: [{ user_ids: [power.person] }] },
    ...power.roles.map((role) => ({ assignees: [{ type: 'role', role }] })),
  ]);
  return or([
    ...named.map((group) => sql`mine.groups @> ${value(JSON.stringify([group]), 'jsonb')}`),
    sql`(mine.users && ${value(people, 'text[]')} or mine.roles && ${value([...actor.roles], 'text[]')})`,
    sql`exists (select from ${id(app.storage, '_votes')} v where v.task_id = mine.id and v.voter = any(${value(people, 'text[]')}))`,
    sql`exists (select from ${id(app.storage, '_delegations')} d where d.task_id = mine.id and d.to_user::text = any(${value(people, 'text[]')}))`,
  ]);
}
