/** What one caller is told of events: which of them, and how much of each. */
import { commentRights, COMMENT_EVENT } from '../../core/comments.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { columnOf } from '../../core/filter/scope.ts';
import type { AppContext, AppRuntime } from '../context.ts';
import { idToday } from '../records/former-keys.ts';
import { type PastNames, pastNames } from '../records/past-names.ts';
import type { PlainRecord } from '../records/write-state.ts';
import type { FeedEvent } from './feed.ts';
import { eyesOf, seenNow, wouldSee, type Eyes, type Seen, type View } from './view.ts';

/** An event under the names of today. */
export interface TodayEvent {
  readonly event: FeedEvent;
  readonly entity: EntityModel;
  readonly changed: readonly string[];
  /** The record before the change; null when there was none, or none that could be seen. */
  readonly before: PlainRecord | null;
}

/** What entities and fields are called now; events of entities that are gone are left out. */
export async function inTodaysNames(
  ctx: Pick<AppContext, 'services'>,
  app: AppRuntime,
  events: readonly FeedEvent[],
): Promise<TodayEvent[]> {
  const names = await pastNames(
    ctx.services.pool,
    app,
    events.map((event) => event.schema_version),
  );
  const ids = await idsToday(ctx, app, events, names);
  return events.flatMap((event): TodayEvent[] => {
    const { schema_version: version, action, old } = event;
    const entity = names.entityOf(version, event.entity);
    if (entity === undefined) return [];
    const rename = (record: PlainRecord): PlainRecord =>
      Object.fromEntries(
        Object.entries(record).flatMap(([name, member]) => {
          const field = names.fieldOf(version, event.entity, name);
          return field === undefined ? [] : [[field.name, member]];
        }),
      );
    const before = action === 'delete' ? old : action === 'update' ? { ...event.record, ...old } : null;
    return [
      {
        event: { ...event, record_id: ids.get(event) ?? event.record_id },
        entity,
        changed: action === 'update' ? Object.keys(rename(old ?? {})) : [],
        before: before === null ? null : rename(before),
      },
    ];
  });
}

/** Of those events whose record is called otherwise now. */
async function idsToday(
  { services }: Pick<AppContext, 'services'>,
  app: AppRuntime,
  events: readonly FeedEvent[],
  names: PastNames,
): Promise<ReadonlyMap<FeedEvent, string>> {
  const found = await Promise.all(
    events.map(async (event): Promise<readonly [FeedEvent, string][]> => {
      const entity = names.entityOf(event.schema_version, event.entity);
      if (entity === undefined || entity.formerKeys.length === 0) return [];
      const nameOf = (name: string): string | undefined => names.fieldOf(event.schema_version, event.entity, name)?.name;
      return [[event, await idToday(services.pool, app, entity, event, nameOf)]];
    }),
  );
  return new Map(found.flat());
}

export type ToldType = 'record.created' | 'record.updated' | 'record.deleted' | 'custom';

export interface Told {
  readonly position: bigint;
  readonly type: ToldType;
  /** JSON without its closing brace, to which the id is added. */
  readonly text: string;
}

/** Judges events of the view's entity as of now: one statement for what is seen, one more where what was seen matters. */
export async function tell(ctx: AppContext, view: View, events: readonly TodayEvent[]): Promise<Told[]> {
  if (events.length === 0) return [];
  const eyes = eyesOf(ctx, view);
  const seen = await seenNow(eyes, [...new Set(events.map(({ event }) => event.record_id))]);
  const readable = events.map((event) => readableChanges(eyes, event, seen.get(event.event.record_id)));
  const doubtful = events.filter((one, index) => dependsOnBefore(eyes, one, seen.get(one.event.record_id), readable[index]));
  const hits = await wouldSee(
    eyes,
    doubtful.map(({ before }) => before ?? {}),
  );
  const wasSeen = new Set(doubtful.filter((_one, index) => hits.has(index)));
  return events.flatMap((one, index) => {
    const now = seen.get(one.event.record_id);
    const type = typeOf(eyes, one, now, wasSeen.has(one), readable[index] ?? []);
    return type === undefined ? [] : [told(one, type, type === 'record.deleted' ? undefined : now, readable[index] ?? [])];
  });
}

/** Changed fields that may be named: those the caller may read, in this very row where that depends on it. */
function readableChanges({ scope, view: { entity } }: Eyes, { changed }: TodayEvent, now: Seen | undefined): string[] {
  return changed.filter((name) => {
    const column = columnOf(scope, entity, name);
    if (column === undefined) return false;
    return column.access.mode === 'always' || now?.fields?.has(name) === true;
  });
}

function dependsOnBefore(eyes: Eyes, { event, before }: TodayEvent, now: Seen | undefined, readable: readonly string[] = []): boolean {
  if (before === null) return false;
  if (event.action === 'delete') return !eyes.looksElsewhere;
  return now === undefined || readable.length === 0;
}

function typeOf(
  eyes: Eyes,
  { event }: TodayEvent,
  now: Seen | undefined,
  wasSeen: boolean,
  readable: readonly string[],
): ToldType | undefined {
  switch (event.action) {
    case 'create':
    case 'restore':
      return now === undefined ? undefined : 'record.created';
    case 'update':
      if (now === undefined) return wasSeen ? 'record.deleted' : undefined;
      // A change of hidden fields alone is no news, unless it brought the record into view.
      return readable.length > 0 || !wasSeen ? 'record.updated' : undefined;
    case 'delete':
      return wasSeen ? 'record.deleted' : undefined;
    case 'custom':
      if (now !== undefined && isOfComment(event)) return seesComments(eyes.ctx, eyes.view.entity) ? 'custom' : undefined;
      // Its data may come from any field of the record.
      return now !== undefined && seesAllFields(eyes) ? 'custom' : undefined;
  }
}

const seesAllFields = ({ scope, view: { entity } }: Eyes): boolean =>
  [...entity.fields.keys()].every((name) => scope.access(entity).field(name).mode === 'always');

const isOfComment = ({ record }: FeedEvent): boolean => String(record?.['event'] ?? '').startsWith(COMMENT_EVENT);

export const seesComments = ({ actor }: Pick<AppContext, 'actor'>, { definition }: EntityModel): boolean =>
  commentRights(definition, actor.isAdmin, actor.roles).sees;

function told({ event, entity }: TodayEvent, type: ToldType, now: Seen | undefined, changed: readonly string[]): Told {
  const { event: name, ...data } = (event.record ?? {}) as Record<string, unknown>;
  const head = {
    type,
    entity: entity.name,
    record_id: event.record_id,
    ...(type === 'custom' ? { name, data } : { version: event.record_version, changed_fields: type === 'record.updated' ? changed : [] }),
    ts: event.at,
  };
  const text = JSON.stringify(head).slice(0, -1);
  return { position: event.position, type, text: now?.text === undefined || type === 'custom' ? text : `${text},"record":${now.text}` };
}

/** The whole JSON of what is told. */
export const toldJson = ({ text }: Told, id: string): string => `${text},"id":${JSON.stringify(id)}}`;
