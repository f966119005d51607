/**
 * Rows of a file through the same writers as any other write. Rows that can be one statement are; what is known to fail, or names what
 * another row of the file makes, goes alone and behind them, under a savepoint.
 */
import { run, sqlState } from '../../adapters/postgres/run.ts';
import type { EntityModel, FieldModel } from '../../core/model/model.ts';
import { sql } from '../../core/sql/sql.ts';
import { canInsertMany, insertMany, isPlainCreate, lookingBack } from '../records/insert-many.ts';
import { attempt } from '../records/many.ts';
import type { Operation, OperationKind, Outcome } from '../records/operation.ts';
import { isAppError, type AppError } from '../../core/errors.ts';
import type { Write } from '../records/write-state.ts';
import { draftRow, rowErrors, type DraftRow, type FileRow, type Lookup, type RowError, type RowReader } from './draft-row.ts';
import { findRecords, findTargets, type FoundRecord } from './find-records.ts';
import {
  boundValue,
  keyDigest,
  keysOf,
  knownKeys,
  missingKeys,
  sameAs,
  takenValues,
  uniqueSets,
  type RowKey,
  type UniqueSet,
} from './unique-keys.ts';

export interface RowsRequest {
  readonly importId: string;
  readonly reader: RowReader;
  readonly rows: readonly FileRow[];
  /** What earlier batches would have written is not there. */
  readonly isTrial: boolean;
  /** False: the quick way, given up with the first single row that fails. */
  readonly hasSavepoints: boolean;
}

/** What a row has done, or would do; no `written` where it has errors. */
export interface RowResult {
  readonly row: number;
  readonly line: number;
  readonly written?: WrittenRow | undefined;
  readonly errors: readonly RowError[];
}

export interface WrittenRow {
  readonly id: string;
  readonly version: string;
  readonly action: 'create' | 'update';
  /** An update that changed nothing leaves the version as it was. */
  readonly isChanged: boolean;
  readonly old: string | null;
}

export interface RowsResult {
  readonly results: readonly RowResult[];
  /** Of the rows that are good: what the next ones must not have. */
  readonly keys: ReadonlyMap<string, number>;
}

/** A single row failed in the quick way: the transaction must be given up. */
export class NeedsSavepoints extends Error {
  override readonly name = 'NeedsSavepoints';
}

export async function writeRows(write: Write, request: RowsRequest): Promise<RowsResult> {
  return new RowWriter(write, request).write();
}

interface Job {
  readonly draft: DraftRow;
  readonly keys: readonly RowKey[];
  readonly found: FoundRecord | undefined;
  /** It waits for rows before it: it has the same unique value as one of them, or refers to one. */
  isLate: boolean;
  /** It is known to fail in the database, or to be looked at without being written. */
  isAlone: boolean;
}

class RowWriter {
  readonly #write: Write;
  readonly #request: RowsRequest;
  readonly #entity: EntityModel;
  readonly #sets: readonly UniqueSet[];
  readonly #results = new Map<number, RowResult>();
  /** Digests of good rows, and their lines. */
  readonly #good = new Map<string, number>();
  /** Of earlier batches. */
  #known: ReadonlyMap<string, number> = new Map();

  constructor(write: Write, request: RowsRequest) {
    this.#write = write;
    this.#request = request;
    this.#entity = request.reader.plan.entity;
    this.#sets = uniqueSets(request.reader);
  }

  async write(): Promise<RowsResult> {
    const jobs = await this.#jobs();
    const back = lookingBack(this.#write, this.#entity);
    const canJoin = canInsertMany(this.#write, this.#entity);
    const operations = new Map(jobs.filter((job) => !job.isLate && !job.isAlone).map((job) => [this.#operation(job), job]));
    const joined = [...operations].filter(([operation]) => canJoin && isPlainCreate(operation, back));
    if (joined.length > 1) await this.#together(new Map(joined));
    for (const job of jobs) if (!this.#results.has(job.draft.row)) await this.#single(job);
    return { results: this.#request.rows.flatMap(({ row }) => this.#results.get(row) ?? []), keys: this.#good };
  }

  // --- before anything is written --------------------------------------------------------------------------------------

  async #jobs(): Promise<Job[]> {
    const { reader, rows, importId } = this.#request;
    const { app } = this.#write.ctx;
    const drafts = rows.map((row) => draftRow(reader, row));
    const waiting = await this.#resolve(drafts);
    const keys = drafts.map((draft) => keysOf(this.#sets, draft));
    const digests = [...keys.flat().map((key) => key.digest), ...[...waiting.values()].flat().map(lookupDigest)];
    this.#known = await knownKeys(this.#write.db, app, importId, digests);
    const found = await this.#find(drafts);
    const seen = new Set<string>();
    const jobs = drafts.map((draft, index): Job => {
      const own = keys[index] ?? [];
      for (const key of own) {
        const line = this.#known.get(key.digest);
        if (line !== undefined) draft.errors.push(sameAs(reader, key, line));
      }
      const isLate = waiting.has(draft) || own.some((key) => seen.has(key.digest));
      for (const key of own) seen.add(key.digest);
      return { draft, keys: own, found: found.get(index), isLate, isAlone: draft.errors.length > 0 };
    });
    await this.#suspect(jobs);
    return jobs;
  }

  /** Puts keys where rows name other records; answers the rows that name what may be a row of this file. */
  async #resolve(drafts: readonly DraftRow[]): Promise<ReadonlyMap<DraftRow, readonly Lookup[]>> {
    const waiting = new Map<DraftRow, Lookup[]>();
    const columns = new Map<string, { draft: DraftRow; lookup: Lookup }[]>();
    for (const draft of drafts) {
      for (const lookup of draft.lookups) columns.set(lookup.column, [...(columns.get(lookup.column) ?? []), { draft, lookup }]);
    }
    for (const asked of columns.values()) {
      const found = await findTargets(
        this.#write,
        asked.map(({ lookup }) => lookup),
      );
      for (const [index, { draft, lookup }] of asked.entries()) {
        if (found.has(index)) draft.body[lookup.field.name] = found.get(index);
        else if (lookup.by.entity === this.#entity) waiting.set(draft, [...(waiting.get(draft) ?? []), lookup]);
        else draft.errors.push(noTarget(lookup));
      }
    }
    return waiting;
  }

  /** The records that rows change. */
  async #find(drafts: readonly DraftRow[]): Promise<ReadonlyMap<number, FoundRecord>> {
    const { entity, on, options, targets } = this.#request.reader.plan;
    if (options.mode === 'create') return new Map();
    const asked: { index: number; values: unknown[] }[] = [];
    for (const [index, draft] of drafts.entries()) {
      const values = on.map((field) => boundValue(field, draft.body[field.name]));
      const missing = on.filter((_, place) => values[place] === undefined);
      for (const field of missing) draft.errors.push(this.#unnamed(field, draft));
      if (missing.length === 0) asked.push({ index, values });
    }
    const filled = [...new Set([...targets.values()].map((target) => target.field.name))];
    const found = await findRecords(
      this.#write,
      entity,
      on,
      asked.map(({ values }) => values),
      filled,
    );
    const byDraft = new Map(
      asked.flatMap(({ index }, place) => (found.has(place) ? [[index, found.get(place) as FoundRecord] as const] : [])),
    );
    if (options.mode === 'update') {
      for (const { index } of asked) if (!byDraft.has(index)) drafts[index]?.errors.push(this.#notThere(on));
    }
    return byDraft;
  }

  #unnamed(field: FieldModel, { body }: DraftRow): RowError {
    const isEmpty = body[field.name] === undefined || body[field.name] === null || body[field.name] === '';
    return {
      column: this.#request.reader.columnOf.get(field.name) ?? null,
      field: field.name,
      code: 'VALIDATION_FAILED',
      rule: isEmpty ? 'required' : 'type',
      message: isEmpty ? `${field.name} is required to find the record` : `${field.name} has a value that no record can have`,
    };
  }

  #notThere(on: readonly FieldModel[]): RowError {
    const names = on.map((field) => field.name).join(', ');
    return {
      column: this.#request.reader.columnOf.get(on[0]?.name ?? '') ?? null,
      field: on[0]?.name ?? null,
      code: 'NOT_FOUND',
      rule: 'exists',
      message: `there is no ${this.#entity.name} with this ${names}`,
    };
  }

  /** New rows that would clash with records, and those that refer to none, would spoil the statement of all others. */
  async #suspect(jobs: readonly Job[]): Promise<void> {
    const { db, ctx } = this.#write;
    const created = jobs.filter((job) => job.found === undefined && !job.isAlone);
    for (const set of this.#sets) {
      const asked = created.flatMap((job) => job.keys.filter((key) => key.set === set).map((key) => ({ job, key })));
      if (asked.length === 0) continue;
      const taken = await takenValues(
        db,
        ctx.app,
        this.#entity,
        set,
        asked.map(({ key }) => key),
      );
      for (const index of taken) (asked[index] as { job: Job }).job.isAlone = true;
    }
    for (const { field, by } of this.#request.reader.plan.targets.values()) {
      const target = by !== undefined || field.references === undefined ? undefined : ctx.app.model.entities.get(field.references);
      const key = this.#keyOf(field, target);
      if (target === undefined || key === undefined) continue;
      const asked = created.flatMap((job) => {
        const bound = boundValue(key, job.draft.body[field.name]);
        return bound === undefined ? [] : [{ job, bound }];
      });
      if (asked.length === 0) continue;
      const missing = await missingKeys(
        db,
        ctx.app,
        target,
        key,
        asked.map(({ bound }) => bound),
      );
      for (const index of missing) (asked[index] as { job: Job }).job.isAlone = true;
    }
  }

  #keyOf(field: FieldModel, target: EntityModel | undefined): FieldModel | undefined {
    const end = this.#entity.relations.find((one) => one.direction === 'forward' && one.localField === field.name);
    return end === undefined ? undefined : target?.fields.get(end.targetField);
  }

  // --- writing ---------------------------------------------------------------------------------------------------------

  #operation({ draft, found }: Job): Operation {
    const kind: OperationKind = found === undefined ? 'create' : 'update';
    const body = found === undefined ? draft.body : withoutKey(this.#entity, draft.body);
    return { kind, entity: this.#entity, path: '', bodyPath: '', index: draft.row, body, id: found?.id, needs: [] };
  }

  async #together(operations: ReadonlyMap<Operation, Job>): Promise<void> {
    const { hasSavepoints } = this.#request;
    const { db } = this.#write;
    if (hasSavepoints) await run(db, sql`savepoint together`);
    try {
      const { outcomes, failures } = await insertMany(this.#write, this.#entity, [...operations.keys()]);
      if (hasSavepoints) await run(db, sql`release savepoint together`);
      for (const [operation, outcome] of outcomes) this.#isWritten(operations.get(operation) as Job, outcome);
      for (const { operation, error } of failures) this.#isRefused(operations.get(operation) as Job, error);
    } catch (error) {
      if (!hasSavepoints || !isOfConstraint(error)) throw error;
      // Somebody else's record of this moment: each row for itself then.
      await run(db, sql`rollback to savepoint together`);
    }
  }

  async #single(job: Job): Promise<void> {
    const { isTrial, hasSavepoints } = this.#request;
    const pending = job.isLate ? await this.#settleLate(job) : [];
    if (job.draft.errors.length > 0 || (pending.length > 0 && isTrial)) return this.#lookedAt(job, pending);
    const isSafe = hasSavepoints || job.isAlone;
    const done = await attempt(this.#write, this.#operation(job), new Map(), isSafe);
    if (!('error' in done)) return this.#isWritten(job, done);
    if (!isSafe) throw new NeedsSavepoints('a row of the batch is refused');
    this.#isRefused(job, done.error);
  }

  /** Rows before it have been written now. Answers what it names of rows that only a run will have written. */
  async #settleLate(job: Job): Promise<readonly Lookup[]> {
    const { draft, keys } = job;
    for (const key of keys) {
      const line = this.#good.get(key.digest);
      if (line !== undefined) draft.errors.push(sameAs(this.#request.reader, key, line));
    }
    const open = draft.lookups.filter(({ by, field }) => by.entity === this.#entity && draft.body[field.name] === undefined);
    const pending: Lookup[] = [];
    for (const lookup of open) {
      // One that comes behind it is there by chance: its batch was written together.
      const isBefore = (this.#good.get(lookupDigest(lookup)) ?? 0) < draft.line;
      const found = isBefore ? await findTargets(this.#write, [lookup]) : new Map<number, unknown>();
      if (found.has(0)) draft.body[lookup.field.name] = found.get(0);
      else if (this.#request.isTrial && this.#known.has(lookupDigest(lookup))) pending.push(lookup);
      else draft.errors.push(noTarget(lookup));
    }
    return pending;
  }

  /**
   * The rest of a row that has mistakes already is looked at as well, so that all are told at once; nothing of it stays. A reference to
   * a row that a run will have written is left out, and not missed.
   */
  async #lookedAt(job: Job, pending: readonly Lookup[]): Promise<void> {
    const { draft } = job;
    const settled = new Set([...draft.errors.flatMap(({ field }) => field ?? []), ...pending.map(({ field }) => field.name)]);
    const body = Object.fromEntries(Object.entries(draft.body).filter(([name]) => !settled.has(name)));
    const { db } = this.#write;
    await run(db, sql`savepoint looked_at`);
    const done = await attempt(this.#write, this.#operation({ ...job, draft: { ...draft, body } }), new Map(), true);
    await run(db, sql`rollback to savepoint looked_at`);
    const refused =
      'error' in done ? rowErrors(this.#request.reader, done.error).filter(({ field }) => field === null || !settled.has(field)) : [];
    const isNews = this.#request.reader.plan.options.mode !== 'update' || job.found !== undefined;
    const errors = [...draft.errors, ...(isNews ? refused : [])];
    if (errors.length > 0) this.#note(draft, errors);
    else if (!('error' in done)) this.#isWritten(job, done);
    else this.#isWritten(job, { id: '', text: '', version: '1', isCreated: job.found === undefined });
  }

  #isWritten(job: Job, outcome: Outcome): void {
    const { draft, found, keys } = job;
    const version = outcome.version ?? '1';
    for (const { digest } of keys) this.#good.set(digest, draft.line);
    const action = found === undefined ? 'create' : 'update';
    const written = { id: outcome.id, version, action, isChanged: version !== found?.version, old: found?.old ?? null } as const;
    this.#results.set(draft.row, { row: draft.row, line: draft.line, written, errors: [] });
  }

  #isRefused({ draft }: Job, error: AppError): void {
    this.#note(draft, rowErrors(this.#request.reader, error));
  }

  #note({ row, line }: DraftRow, errors: readonly RowError[]): void {
    this.#results.set(row, { row, line, errors });
  }
}

const lookupDigest = ({ by, value }: Lookup): string => keyDigest(by.field.name, [value]);

const noTarget = ({ column, field, by, text }: Lookup): RowError => ({
  column,
  field: field.name,
  code: 'VALIDATION_FAILED',
  rule: 'reference',
  message: `there is no ${by.entity.name} whose ${by.field.name} is "${text}"`,
});

/** What names the record is no change of it. */
const withoutKey = (entity: EntityModel, body: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !entity.key.some((field) => field.name === name)));

/** A constraint of the database, told as it is or as an answer. */
export const isOfConstraint = (error: unknown): boolean => {
  const state = sqlState(error) ?? (isAppError(error) ? sqlState(error.cause) : undefined);
  return state !== undefined && /^2[23]/.test(state);
};
