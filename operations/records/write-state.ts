/** What the parts of one write share. A write is one request: a record, the rows nested in it, and all they touch. */
import { accessFor } from '../../core/policy/policy.ts';
import type { Access, RecordAction } from '../../core/policy/access.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { compileRules, type RulePlan } from '../../core/rules/plan.ts';
import type { Db } from '../../adapters/postgres/run.ts';
import type { Actor, AppContext } from '../context.ts';
import type { FunctionDesk } from '../functions/desk.ts';
import type { Draft } from './draft.ts';
import type { StatementOptions } from './statements.ts';

/** One use of a key. `isReplayed` tells the caller afterwards that nothing was written by this request. */
export interface Idempotency {
  readonly key: string;
  /** Of everything the request asks for: the same key with another hash is refused. */
  readonly hash: string;
  /** The row of a write that is not atomic; each has an answer of its own. */
  readonly part: number;
  isReplayed: boolean;
}

export interface WriteOptions {
  /** An ETag: the record must still have that version, else PRECONDITION_FAILED. */
  readonly ifMatch?: string;
  /** The answer is kept under the caller's key, and a repeat is answered with it. */
  readonly idempotency?: Idempotency | undefined;
  /** `none` writes no events: nothing is started by this write. */
  readonly events?: 'all' | 'none';
  /** Sample rows: types, keys and references hold; rules, machines and computed fields are not asked. */
  readonly asSampleData?: boolean;
  /** Nothing stays: it is written and taken back, to see what would become of it. Synchronous webhooks are not asked. */
  readonly isTrial?: boolean;
}

export interface WrittenRecord {
  readonly id: string;
  /** The record's version; the ETag is this in quotes. */
  readonly version: string;
  /** The record as JSON text, only what the caller may read. */
  readonly text: string;
}

/** A call that must be made before the transaction opens; found in a trial run that is rolled back. */
export interface PendingCall {
  readonly entity: EntityModel;
  readonly action: 'create' | 'update' | 'delete';
  readonly record: PlainRecord | null;
  readonly old: PlainRecord | null;
  /** Which record in which version the receiver was shown. */
  readonly fingerprint: string;
}

/** The record a delete asked for, of which all others are cascades. */
export interface DeleteRoot {
  readonly entity: EntityModel;
  readonly id: string;
  readonly record: PlainRecord;
  /** What the cascades will reach; found when it is asked for. */
  doomed?: ReadonlySet<string>;
}

export type PlainRecord = Readonly<Record<string, unknown>>;

export interface Write {
  readonly ctx: AppContext;
  readonly options: WriteOptions;
  /** A client inside a transaction, or the pool when one statement is all there is. */
  readonly db: Db;
  readonly inTransaction: boolean;
  /** Whose permissions count: the caller's, or the system's for what a definition does by itself. */
  readonly authority: Actor;
  /** Calls to synchronous webhooks, noted during the trial and compared in the real run. */
  readonly calls: PendingCall[];
  /** Records already being deleted, so that circles of cascades end. */
  readonly deleting: Set<string>;
  /** Deletes asked for so far, without what they cascaded: each has a time of its own, by which a restore knows what belongs to it. */
  readonly deletes: { count: number; root?: DeleteRoot };
  /** Tables and columns of slugs that the engine made up: a clash of one is tried again with the next one. */
  readonly derivedSlugs: Set<string>;
  /** What functions and scripts share over all tries of the request. */
  readonly functions: FunctionDesk;
  readonly steps: WriteSteps;
}

/** Where a nested row hangs. */
export interface ParentLink {
  readonly field: string;
  readonly value: unknown;
}

export interface CreateStep {
  /** True for the record the request names, false for rows nested in it: those were looked at with it. */
  readonly isTop?: boolean;
  readonly draft: Draft;
  readonly link?: ParentLink;
}

export interface UpdateStep {
  readonly isTop?: boolean;
  readonly recordId: string;
  readonly draft: Draft;
  readonly link?: ParentLink;
  readonly ifMatch?: string;
}

export interface DeleteStep {
  readonly recordId: string;
  readonly ifMatch?: string;
  /** Only a record that hangs there; others are unknown. */
  readonly link?: ParentLink;
  /** Cascades act for the definition: the caller's permission on the children is not asked. */
  readonly isCascade?: boolean;
}

/** The three kinds of writing one record; a table, because they call each other through nested rows and cascades. */
export interface WriteSteps {
  create(write: Write, entity: EntityModel, step: CreateStep): Promise<WrittenRecord>;
  update(write: Write, entity: EntityModel, step: UpdateStep): Promise<WrittenRecord>;
  delete(write: Write, entity: EntityModel, step: DeleteStep): Promise<string>;
}

export const accessOf = (write: Pick<Write, 'ctx' | 'authority'>, entity: EntityModel, action: RecordAction): Access =>
  accessFor(write.ctx.app, write.authority, entity, action, write.ctx.now);

const PLANS = {};

/** The compiled rules of an entity, once per schema version. */
export function rulesOf(ctx: AppContext, entity: EntityModel): RulePlan {
  const plans = ctx.app.memo(PLANS, () => new Map<string, RulePlan>());
  let plan = plans.get(entity.name);
  if (plan === undefined) plans.set(entity.name, (plan = compileRules(entity)));
  return plan;
}

export function statementOptions(
  write: Write,
  entity: EntityModel,
  action: RecordAction,
  wants: { record: boolean; event?: boolean },
): StatementOptions {
  return {
    ctx: write.ctx,
    entity,
    access: accessOf(write, entity, action),
    // The answer is the caller's, even where a definition acts.
    read: accessOf(write, entity, 'read'),
    hasEvent: wants.event !== false && write.options.events !== 'none',
    wantsRecord: wants.record,
    readAccess: (target) => accessOf(write, target, 'read'),
  };
}

export const prepared = (write: Write): { prepared: true; generation: string } => ({
  prepared: true,
  generation: write.ctx.app.generation,
});
