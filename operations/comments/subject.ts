/** The record that comments are about, as far as the caller may read it now, and what the caller may do with its comments. */
import { run } from '../../adapters/postgres/run.ts';
import { commentRights } from '../../core/comments.ts';
import { AppError } from '../../core/errors.ts';
import { visibleRows } from '../../core/filter/compile.ts';
import { ROWS_ALIAS } from '../../core/filter/statements.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { holding } from '../../core/policy/access.ts';
import { accessFor } from '../../core/policy/policy.ts';
import { recordIdText } from '../../core/sql/columns.ts';
import { and, id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext, AppRuntime } from '../context.ts';
import { idsOverTime, isEventOf, type PastId } from '../records/former-keys.ts';
import { bySlug } from '../records/get.ts';
import { namesOverTime } from '../records/past-names.ts';
import { readableEntity, readScope } from '../records/read-scope.ts';
import { notFound, recordCondition } from '../records/record-key.ts';
import { servedEntity } from '../served-shape.ts';

export interface Subject {
  /** The version that is served, its entity and what it calls the record. */
  readonly app: AppRuntime;
  readonly entity: EntityModel;
  readonly recordId: string;
  /** What the record was called over time. */
  readonly ids: readonly PastId[];
  readonly mayWrite: boolean;
}

/** The subject of comments, or NOT_FOUND; FORBIDDEN where the record may be read and its comments not. */
export async function subjectOf(ctx: AppContext, entityName: string, idOrSlug: string): Promise<Subject> {
  const { services, actor } = ctx;
  const scope = readScope(ctx);
  const asked = readableEntity(ctx, scope, entityName);
  const app = ctx.app.beside?.served ?? ctx.app;
  const entity = servedEntity(ctx.app, asked);
  const key = recordCondition(bySlug(scope, asked), ctx.app.storage, ROWS_ALIAS, idOrSlug);
  if (key === undefined || entity === undefined) throw notFound(asked, idOrSlug);
  const rights = commentRights(entity.definition, actor.isAdmin, actor.roles);
  if (!rights.isOn)
    throw new AppError('NOT_FOUND', `Records of "${asked.name}" have no comments.`, { hint: 'The document says "comments": "off".' });
  const update = accessFor(ctx.app, actor, asked, 'update', ctx.now);
  const mayUpdate = update.isGranted ? holding(update.where(ROWS_ALIAS)) : raw('false');
  const [found] = await run<{ record_id: string; may_update: boolean }>(
    services.pool,
    sql`select ${recordIdText(entity, ROWS_ALIAS)} as record_id, ${mayUpdate} as may_update from ${id(ctx.app.storage, asked.rows)} ${id(ROWS_ALIAS)}
        where ${and([key, ...visibleRows(scope, asked, ROWS_ALIAS)])} limit 1`,
  );
  if (found === undefined) throw notFound(asked, idOrSlug);
  if (!rights.sees) throw new AppError('FORBIDDEN', `You may not read comments of "${asked.name}" records.`);
  // A key that may only read is one that may not write anything.
  const isWritingKey = actor.scopes?.allowsRecords(asked.name, 'update') !== false;
  return {
    app,
    entity,
    recordId: found.record_id,
    ids: await pastIds(ctx, app, entity, found.record_id),
    mayWrite: isWritingKey && (rights.writes === 'if_updates' ? found.may_update : rights.writes),
  };
}

async function pastIds({ services }: AppContext, app: AppRuntime, entity: EntityModel, recordId: string): Promise<readonly PastId[]> {
  if (entity.formerKeys.length === 0) return [{ id: recordId, from: 0, until: null }];
  return idsOverTime(services.pool, app, entity, recordId, (await namesOverTime(services.pool, app, entity)).names);
}

/** Rows `e` of the comments that are the record's. */
export const isCommentOf = ({ entity, ids }: Pick<Subject, 'entity' | 'ids'>): Sql =>
  sql`e.entity_table = ${value(entity.table)} and ${isEventOf(ids)}`;
