/** An import as it is stored and shown. */
import type pg from 'pg';
import { run, type Db } from '../../adapters/postgres/run.ts';
import { AppError, type ErrorCode } from '../../core/errors.ts';
import type { Mapping } from '../../core/import/mapping.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import type { TakingPayload } from '../../core/payloads/imports.ts';
import { id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { importWorkflowId } from '../../workflows/contracts/ids.ts';
import type { ActorRef, ImportState, ImportTask } from '../../workflows/contracts/types.ts';
import type { AppRuntime, Services } from '../context.ts';
import type { ImportFormat, Source } from './file-reader.ts';

/** How the rows are taken, every choice made. */
export interface ImportOptions {
  readonly mode: 'create' | 'update' | 'upsert';
  /** The names of the fields that find a record. */
  readonly on: readonly string[];
  readonly on_error: 'all_or_nothing' | 'skip';
  readonly events: 'normal' | 'none';
  readonly empty: 'default' | 'null';
  readonly trim: boolean;
  readonly decimal?: '.' | ',' | undefined;
  readonly dates: NonNullable<TakingPayload['dates']>;
  readonly time_zone: string;
  /** Goes on by itself when the check has found nothing. */
  readonly run: boolean;
}

/** By whose permissions it goes, as they are when it is looked at. */
export interface ImportActor extends ActorRef {
  readonly keyId?: string;
}

export interface Resumption {
  readonly at: string;
  /** Rows that were settled before. */
  readonly row: number;
}

export interface ImportRow extends pg.QueryResultRow {
  readonly id: string;
  readonly entity_id: string;
  readonly entity: string;
  readonly schema_version: number;
  readonly format: ImportFormat;
  readonly file_name: string | null;
  readonly bytes: string;
  readonly checksum: string | null;
  readonly source: Source & { readonly samples?: readonly (readonly unknown[])[] };
  readonly columns: readonly string[];
  readonly mapping: Mapping;
  readonly options: ImportOptions;
  readonly owner: string;
  readonly actor: ImportActor;
  readonly state: ImportState | 'uploading';
  /** What is or was done last. */
  readonly task: ImportTask;
  /** The rows that it is about. */
  readonly task_total: number;
  readonly round: number;
  readonly total: number;
  readonly done: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly removed: number;
  readonly restored: number;
  readonly kept: number;
  readonly after_undo: ImportState | null;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  readonly resumed: readonly Resumption[];
  readonly segment_from: number;
  readonly segment_at: Date | null;
  readonly created_at: Date;
  readonly checked_at: Date | null;
  readonly finished_at: Date | null;
  readonly updated_at: Date;
}

/** A workflow is at it, or should be. */
export const ACTIVE: readonly ImportState[] = ['checking', 'running', 'undoing'];
export const isActive = (state: string): boolean => ACTIVE.some((one) => one === state);

/** Rows were written by it; a check only counts those that would be. */
export const hasWritten = ({ task, created, updated }: Pick<ImportRow, 'task' | 'created' | 'updated'>): boolean =>
  task !== 'check' && created + updated > 0;

export const ownerOf = ({ kind, id: account }: Pick<ActorRef, 'kind' | 'id'>): string => `${kind}:${account ?? ''}`;

export const importsOf = (app: Pick<AppRuntime, 'storage'>): Sql => id(app.storage, '_imports');

export const noSuchImport = (importId: string): AppError => new AppError('NOT_FOUND', `There is no import "${importId.slice(0, 100)}".`);

/** Undefined when there is none, or its file is still on its way. */
export async function readImport(
  db: Db,
  app: Pick<AppRuntime, 'storage'>,
  importId: string,
  lock: 'update' | 'none' = 'none',
): Promise<ImportRow | undefined> {
  if (!isUuid(importId)) return undefined;
  const [row] = await run<ImportRow>(
    db,
    sql`select * from ${importsOf(app)} where id = ${value(importId, 'uuid')} and state <> 'uploading'
      ${raw(lock === 'update' ? 'for update' : '')}`,
    { prepared: true },
  );
  return row;
}

const ROUNDED = 10;

/** As clients see it. Times are ISO 8601; `rate` is rows a second. */
export function importView(services: Services, app: Pick<AppRuntime, 'id'>, row: ImportRow): Readonly<Record<string, unknown>> {
  const { config } = services;
  const workflowId = importWorkflowId(app.id, row.id, row.round);
  const { samples = [], ...source } = row.source;
  const until = new Date(row.created_at.getTime() + config.daysKept.imports * 86_400_000);
  return {
    id: row.id,
    entity: row.entity,
    state: row.state,
    format: row.format,
    file_name: row.file_name,
    bytes: Number(row.bytes),
    checksum: row.checksum,
    rows: row.total,
    columns: row.columns,
    samples,
    mapping: row.mapping,
    options: { ...row.options, ...source },
    progress: progressOf(row),
    counts: { created: row.created, updated: row.updated, unchanged: row.unchanged, failed: row.failed },
    undo: {
      possible: hasWritten(row) && ['completed', 'cancelled', 'failed', 'undone'].includes(row.state) && hasOpenRows(row),
      until: until.toISOString(),
      removed: row.removed,
      restored: row.restored,
      kept: row.kept,
    },
    resumed: row.resumed,
    error: row.error,
    created_by: { kind: row.owner.split(':')[0], id: row.owner.slice(row.owner.indexOf(':') + 1) || null },
    created_at: row.created_at.toISOString(),
    checked_at: row.checked_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
    workflow_id: workflowId,
    temporal_url: services.temporal.linkTo(workflowId),
  };
}

/** Kept ones are looked at again by the next undo. */
const hasOpenRows = ({ created, updated, removed, restored }: ImportRow): boolean => created + updated > removed + restored;

function progressOf({ task, task_total: total, ...row }: ImportRow): Readonly<Record<string, unknown>> {
  const seconds = row.segment_at === null ? 0 : (row.updated_at.getTime() - row.segment_at.getTime()) / 1_000;
  const rate = seconds > 0 ? (row.done - row.segment_from) / seconds : 0;
  const isMoving = isActive(row.state) && rate > 0;
  return {
    task,
    done: row.done,
    total,
    rate: rate > 0 ? Math.round(rate * ROUNDED) / ROUNDED : null,
    eta_seconds: isMoving ? Math.ceil(Math.max(0, total - row.done) / rate) : null,
  };
}
