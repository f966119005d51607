/** One ordered story of a record: its changes, comments, runs, votes, marks of clocks and deliveries, each as the caller may see it. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { raw, sql, value } from '../../core/sql/sql.ts';
import { toComment, type CommentRow } from '../comments/read.ts';
import { commentRights } from '../../core/comments.ts';
import type { AppContext } from '../context.ts';
import { visibleTo } from '../processes/runs.ts';
import { checkParameters, readNatural } from '../paging.ts';
import { entryOf, historyEyes, type HistoryEyes, type HistoryRow } from '../records/history.ts';
import { pastNames, type PastNames } from '../records/past-names.ts';
import { readPlace, writePlace, type Place, type Source } from './place.ts';
import { sourcesStatement, type Asked, type SourceRow } from './sources.ts';

export const TIMELINE_TYPES = ['change', 'transition', 'comment', 'run', 'vote', 'clock', 'delivery'] as const;
type EntryType = (typeof TIMELINE_TYPES)[number];

const USUAL = 25;
const MOST = 100;

/** A page of the timeline, the newest first: `{data, page: {limit, next_cursor}}`. */
export async function recordTimeline(ctx: AppContext, name: string, idOrSlug: string, query: URLSearchParams): Promise<object> {
  checkParameters(query, ['types', 'limit', 'cursor']);
  const limit = Math.min(readNatural(query, 'limit') ?? USUAL, MOST);
  const types = readTypes(query.get('types'));
  const place = readPlace(query.get('cursor'));
  const [eyes, runs] = await Promise.all([historyEyes(ctx, name, idOrSlug), sees(types, 'run', 'vote') ? visibleRuns(ctx) : raw('false')]);
  const sources = sourcesOf(ctx, eyes, types);
  if (sources.length === 0) return { data: [], page: { limit, next_cursor: null } };
  const states = await statesOf(ctx, eyes.entity, types);
  const statement = sourcesStatement(ctx, eyes, sources, { place, limit: limit + 1, states, runs });
  const rows = await run<SourceRow>(ctx.services.pool, statement, { prepared: true, generation: ctx.app.generation });
  const merged = merge(rows, limit + 1);
  const shown = merged.slice(0, limit);
  const versions = shown.flatMap(({ source, data }) => (source === 'change' ? [Number(data['schema_version'])] : []));
  const names = await pastNames(ctx.services.pool, ctx.app, versions);
  return {
    data: shown.map((row) => entryFrom(ctx, eyes, names, row)),
    page: { limit, next_cursor: merged.length > limit ? writePlace(placeBehind(place, rows, shown)) : null },
  };
}

// --- what is asked for -----------------------------------------------------------------------------------------------

const sees = (types: ReadonlySet<EntryType>, ...some: EntryType[]): boolean => some.some((type) => types.has(type));

function readTypes(text: string | null): ReadonlySet<EntryType> {
  if (text === null || text === '') return new Set(TIMELINE_TYPES);
  const types = text.split(',').map((type) => TIMELINE_TYPES.find((known) => known === type.trim()));
  if (types.includes(undefined)) {
    const message = `types are some of ${TIMELINE_TYPES.join(', ')}.`;
    throw new AppError('INVALID_VALUE', message, { details: [{ field: 'types', rule: 'value', message, allowed: TIMELINE_TYPES }] });
  }
  return new Set(types.filter((type) => type !== undefined));
}

/** Rows `e` of the runs that the caller may see. */
const visibleRuns = async (ctx: AppContext): Promise<Asked['runs']> => visibleTo(ctx, 'e');

/** What the caller does not see is not asked. */
function sourcesOf({ actor }: AppContext, { entity }: HistoryEyes, types: ReadonlySet<EntryType>): readonly Source[] {
  const seesComments = commentRights(entity.definition, actor.isAdmin, actor.roles).sees;
  const seesDeliveries = actor.isAdmin && actor.scopes?.allowsPart('_admin', 'read') !== false;
  return [
    ...(sees(types, 'change', 'transition') ? (['change'] as const) : []),
    ...(types.has('comment') && seesComments ? (['comment'] as const) : []),
    ...(types.has('run') ? (['run', 'end'] as const) : []),
    ...(types.has('vote') ? (['vote'] as const) : []),
    ...(types.has('clock') ? (['clock'] as const) : []),
    ...(types.has('delivery') && seesDeliveries ? (['delivery'] as const) : []),
  ];
}

/** Names over time of the fields with a state machine, where changes and transitions are told apart. */
async function statesOf({ app, services }: AppContext, entity: EntityModel, types: ReadonlySet<EntryType>): Promise<Asked['states']> {
  if (types.has('change') === types.has('transition')) return undefined;
  const isWanted = types.has('transition');
  const fields = stateFields(entity);
  const ids = fields.flatMap((name) => entity.fields.get(name)?.definition.id ?? []);
  const rows =
    ids.length === 0
      ? []
      : await run<{ name: string } & pg.QueryResultRow>(
          services.pool,
          sql`select distinct f->>'name' as name from durabase.schema_versions v
              cross join lateral jsonb_array_elements(v.document->'entities') e cross join lateral jsonb_array_elements(e->'fields') f
              where v.schema_name = ${value(app.schemaName)} and e->>'id' = ${value(entity.definition.id ?? null, 'text')}
                and f->>'id' = any(${value(ids, 'text[]')})`,
        );
  return { fields: [...new Set([...fields, ...rows.map((row) => row.name)])], isWanted };
}

const stateFields = ({ machines }: EntityModel): string[] => machines.map(({ field }) => field);

// --- merging ---------------------------------------------------------------------------------------------------------

/** Each source in its own order, the newest head first. */
function merge(rows: readonly SourceRow[], limit: number): SourceRow[] {
  const queues = new Map<Source, SourceRow[]>();
  for (const row of rows) queues.set(row.source, [...(queues.get(row.source) ?? []), row]);
  const merged: SourceRow[] = [];
  while (merged.length < limit) {
    let next: SourceRow[] | undefined;
    for (const queue of queues.values()) {
      const [head] = queue;
      const [best] = next ?? [];
      if (head !== undefined && (best === undefined || head.at > best.at)) next = queue;
    }
    const row = next?.shift();
    if (row === undefined) return merged;
    merged.push(row);
  }
  return merged;
}

function placeBehind(before: Place | undefined, rows: readonly SourceRow[], shown: readonly SourceRow[]): Place {
  const last: Partial<Record<Source, readonly string[]>> = { ...before?.last };
  // Versions order changes, not times: where none was shown yet, they begin at the newest that was there.
  const first = rows.find(({ source }) => source === 'change');
  if (last.change === undefined && first !== undefined) last.change = [(BigInt(first.key) + 1n).toString()];
  for (const { source, at, key } of shown) last[source] = source === 'change' ? [key] : [at, key];
  return { until: shown.at(-1)?.at ?? before?.until ?? '', last };
}

// --- entries ---------------------------------------------------------------------------------------------------------

/** One entry as it is answered: `type`, `at`, and what the type has. */
function entryFrom(ctx: AppContext, eyes: HistoryEyes, names: PastNames, { source, at, data }: SourceRow): object {
  const head = (type: EntryType, id: unknown): object => ({ type, at: new Date(at).toISOString(), id });
  switch (source) {
    case 'change':
      return changeFrom(ctx, eyes, names, at, data);
    case 'comment':
      return { ...head('comment', data['id']), comment: commentFrom(ctx, data) };
    case 'run':
    case 'end': {
      const { run_id: runId, workflow, status, error, actor, name } = data;
      const isBegun = source === 'run';
      const what = isBegun ? { actor: personOf(actor, name) } : { status, error };
      return { ...head('run', runId), event: isBegun ? 'begun' : 'ended', workflow, ...what };
    }
    case 'vote': {
      const { vote_id: voteId, run_id: runId, task_id: taskId, workflow, step, decision, comment, person, actor, name } = data;
      const told = { run_id: runId, task_id: taskId, workflow, step, decision, comment, for: person };
      return { ...head('vote', voteId), actor: personOf(actor, name), ...told };
    }
    case 'clock': {
      const { clock_id: clockId, sla, kind, label, error } = data;
      return { ...head('clock', clockId), sla, mark: kind, label: label === '' ? null : label, error };
    }
    case 'delivery': {
      const { delivery_id: deliveryId, webhook, status, tries, reason } = data;
      const { id, name } = ctx.app.model.document.webhooks.find((one) => one.id === webhook) ?? {};
      return { ...head('delivery', deliveryId), webhook: { id: id ?? webhook, name: name ?? null }, status, tries, reason };
    }
  }
}

function changeFrom(ctx: AppContext, eyes: HistoryEyes, names: PastNames, at: string, data: SourceRow['data']): object {
  const row = { ...data, at: new Date(at) } as unknown as HistoryRow;
  const { actor, at: time, id, ...entry } = entryOf(ctx, eyes, names, row);
  const transitions = stateFields(eyes.entity).flatMap((field) => {
    const change = row.action === 'update' ? entry.changes[field] : undefined;
    return change === undefined ? [] : [{ field, from: change.old, to: change.new }];
  });
  const isTransition = transitions.length > 0;
  return {
    type: isTransition ? 'transition' : 'change',
    at: time,
    id,
    actor: { ...actor, name: data['name'] ?? null },
    ...(isTransition ? { transitions } : {}),
    ...entry,
  };
}

function commentFrom(ctx: AppContext, data: SourceRow['data']): object {
  const row = data as unknown as CommentRow & { readonly created_at: string; readonly edited_at: string | null };
  const times = { created_at: new Date(row.created_at), edited_at: row.edited_at === null ? null : new Date(row.edited_at) };
  // What may be done with it is asked of the comment itself.
  const { may_edit: _edit, may_delete: _delete, ...comment } = toComment(ctx, { mayWrite: false }, { ...row, ...times });
  return comment;
}

const personOf = (actor: unknown, name: unknown): object | null => {
  const { kind, id } = (actor ?? {}) as { readonly kind?: unknown; readonly id?: unknown };
  return actor === null || actor === undefined ? null : { kind: kind ?? 'user', id: id ?? null, name: name ?? null };
};
