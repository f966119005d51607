/** Reading the audit of one app or of the platform, proving that nobody touched it, and erasing a person from it. */
import type pg from 'pg';
import { run, runText } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Actor, Services } from '../context.ts';
import { checkParameters } from '../paging.ts';
import { readTime } from '../read-time.ts';
import { audit } from './audit.ts';

/** Whose chain: an app's id, or null for the platform's. */
export interface AuditScope {
  readonly services: Services;
  readonly actor: Actor;
  readonly app: string | null;
}

const chainOf = ({ app }: AuditScope): string => app ?? '';
const FILTERS = ['action', 'actor', 'target', 'from', 'to'] as const;
const USUAL = 50;
const MOST = 200;

/** The JSON of `{data, page: {limit, next_cursor}}`, the newest first. */
export async function readAudit(scope: AuditScope, query: URLSearchParams): Promise<string> {
  checkParameters(query, [...FILTERS, 'limit', 'cursor']);
  const limit = Math.min(readNumber(query, 'limit') ?? USUAL, MOST);
  const before = readNumber(query, 'cursor') ?? null;
  const [action, actor, target] = (['action', 'actor', 'target'] as const).map((name) => value(readText(query, name), 'text'));
  const [from, to] = (['from', 'to'] as const).map((name) => value(readTime(query.get(name), name), 'timestamptz'));
  const text = await runText(
    scope.services.pool,
    sql`
    select json_build_object('data', coalesce(json_agg(row_to_json(f) order by f.number desc) filter (where f.n <= ${value(limit, 'integer')}), '[]'),
      'page', json_build_object('limit', ${value(limit, 'integer')},
        'next_cursor', case when count(*) > ${value(limit, 'integer')} then (min(f.number) filter (where f.n <= ${value(limit, 'integer')}))::text end))::text
    from (
      select a.number, a.action, a.actor, a.target, a.detail, a.at, a.erased_at, encode(a.hash, 'hex') as hash,
        row_number() over (order by a.number desc) as n
      from durabase.audit a
      where a.chain = ${value(chainOf(scope))} and (${value(before, 'bigint')} is null or a.number < ${value(before, 'bigint')})
        and (${action ?? sql`null`} is null or a.action = ${action ?? sql`null`})
        and (${actor ?? sql`null`} is null or a.actor->>'id' = ${actor ?? sql`null`})
        and (${target ?? sql`null`} is null or a.target = ${target ?? sql`null`})
        and (${from ?? sql`null`} is null or a.at >= ${from ?? sql`null`}) and (${to ?? sql`null`} is null or a.at < ${to ?? sql`null`})
      order by a.number desc limit ${value(limit + 1, 'integer')}) f`,
  );
  return text ?? '';
}

/** What is wrong with the first entry that is not as it was written. */
export interface BadEntry {
  readonly number: string;
  readonly problem: 'missing' | 'changed' | 'erased' | 'cut_off';
  readonly message: string;
}

export interface AuditProof {
  readonly intact: boolean;
  readonly entries: number;
  readonly erased: number;
  /** To be noted elsewhere: whoever makes the whole chain again cannot make this hash again. */
  readonly head: { readonly number: string; readonly hash: string } | null;
  readonly first_bad: BadEntry | null;
}

const MESSAGES: Readonly<Record<BadEntry['problem'], string>> = {
  missing: 'An entry before this one is missing, or this one was put in.',
  changed: 'This entry is not what was written, or does not stand where it was written.',
  erased: 'This entry was emptied, and no audit.erase tells of it.',
  cut_off: 'The entries after this one are missing.',
};

/** Follows the chain from its beginning to its head. */
export async function verifyAudit(scope: AuditScope): Promise<AuditProof> {
  const chain = value(chainOf(scope));
  const [row] = await run<ProofRow>(
    scope.services.pool,
    sql`
    with linked as (
      select a.*, lag(a.hash) over w as previous, lag(a.number) over w as before from durabase.audit a
      where a.chain = ${chain} window w as (order by a.number, a.id)
    ), judged as (
      select l.number, l.hash, l.erased_at, case
        when l.number <> coalesce(l.before, 0) + 1 then 'missing'
        when l.hash is distinct from durabase.audit_hash(coalesce(l.previous, ''::bytea), l.number, l.chain, l.action, l.at, l.digest)
          or coalesce(l.app, '') <> l.chain then 'changed'
        when l.salt is not null and l.digest <> durabase.audit_digest(l.salt, l.actor, l.target, l.detail) then 'changed'
        when l.salt is null and not exists (select from durabase.audit e where e.chain = l.chain and e.action = 'audit.erase'
          and e.detail->'entries' @> to_jsonb(l.number)) then 'erased' end as problem
      from linked l
    )
    select count(*)::integer as entries, count(erased_at)::integer as erased, max(number) as last,
      (array_agg(encode(hash, 'hex') order by number desc))[1] as last_hash,
      min(number) filter (where problem is not null) as bad,
      (array_agg(problem order by number) filter (where problem is not null))[1] as problem,
      (select h.number from durabase.audit_heads h where h.chain = ${chain}) as head,
      (select encode(h.hash, 'hex') from durabase.audit_heads h where h.chain = ${chain}) as head_hash
    from judged`,
  );
  const bad = firstBad(row);
  return {
    intact: bad === null,
    entries: row?.entries ?? 0,
    erased: row?.erased ?? 0,
    head: row?.head === null || row?.head_hash === null || row === undefined ? null : { number: row.head, hash: row.head_hash },
    first_bad: bad,
  };
}

interface ProofRow extends pg.QueryResultRow {
  readonly entries: number;
  readonly erased: number;
  readonly last: string | null;
  readonly last_hash: string | null;
  readonly bad: string | null;
  readonly problem: BadEntry['problem'] | null;
  readonly head: string | null;
  readonly head_hash: string | null;
}

function firstBad(row: ProofRow | undefined): BadEntry | null {
  if (row === undefined) return null;
  const told = (number: string, problem: BadEntry['problem']): BadEntry => ({ number, problem, message: MESSAGES[problem] });
  if (row.bad !== null && row.problem !== null) return told(row.bad, row.problem);
  return row.head === row.last && row.head_hash === row.last_hash ? null : told(row.last ?? '0', 'cut_off');
}

/**
 * Takes a person out of the entries: who, whom and the details go with their salt, and the digests that the chain is made of stay. The
 * erasure is an entry itself, which names the others.
 */
export async function eraseFromAudit(scope: AuditScope, userId: unknown): Promise<{ readonly erased: number }> {
  if (typeof userId !== 'string' || !isUuid(userId))
    throw new AppError('INVALID_VALUE', '"user" must be the id of a user.', {
      details: [{ field: 'user', rule: 'type', message: 'must be a uuid' }],
    });
  return transaction(scope.services.pool, async (client) => {
    const rows = await run<{ number: string; earlier: unknown }>(
      client,
      sql`
      with found as (
        select id, number, case when action = 'audit.erase' then detail->'entries' end as earlier from durabase.audit
        where chain = ${value(chainOf(scope))} and salt is not null
          and (actor->>'id' = ${value(userId, 'text')} or target = ${value(userId, 'text')})
        for update
      ), emptied as (
        update durabase.audit a set actor = jsonb_build_object('kind', a.actor->'kind'), target = null, detail = '{}', salt = null, erased_at = now()
        from found f where a.id = f.id
      )
      select number, earlier from found order by number`,
    );
    // An erasure that is erased is told again by this one.
    const earlier = rows.flatMap((row) => (Array.isArray(row.earlier) ? (row.earlier as number[]) : []));
    const entries = [...new Set([...earlier, ...rows.map((row) => Number(row.number))])];
    if (rows.length > 0) await audit(client, scope.actor, { app: scope.app, action: 'audit.erase', target: null, detail: { entries } });
    return { erased: rows.length };
  });
}

function readText(query: URLSearchParams, name: string): string | null {
  const given = query.get(name);
  if (given?.includes('\0') === true) throw badParameter(name, `"${name}" holds a character that nothing stored can hold.`);
  return given;
}

function readNumber(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name);
  if (given === null || given === '') return undefined;
  if (/^[1-9]\d{0,14}$/.test(given)) return Number(given);
  throw badParameter(name, `"${name}" must be a whole number from 1.`);
}

const badParameter = (field: string, message: string): AppError =>
  new AppError('INVALID_VALUE', message, { details: [{ field, rule: 'value', message }] });
