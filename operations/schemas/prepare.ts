/** What a publish would do, worked out under the caller's transaction: the next document, its changes, its plan, its refusals. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { uuidv7 } from '../../adapters/ids.ts';
import { run } from '../../adapters/postgres/run.ts';
import { refuseUnsafe, type Change, type Held, type Undone } from '../../core/change/change.ts';
import { diff } from '../../core/change/diff.ts';
import { applyRenames, conversionsOf, movedBack, movesOf, splitBack, splitsOf, takenBack } from '../../core/change/instructions.ts';
import { withFormerKeysOf } from '../../core/change/key/former.ts';
import { canonical } from '../../core/change/pair.ts';
import { plan, stepText, type Plan } from '../../core/change/plan.ts';
import { withRestored } from '../../core/change/restored.ts';
import { assignStorage, convertedFields, type StorageFacts } from '../../core/change/storage.ts';
import { AppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { fromStore } from '../../core/model/stored.ts';
import type { Instruction } from '../../core/model/instructions.ts';
import { assignIds, EMPTY_DOCUMENT } from '../../core/model/merge.ts';
import { buildModel } from '../../core/model/model.ts';
import { reviewDocument, type Finding } from '../../core/model/review.ts';
import { policyErrors } from '../../core/policy/policy.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppContext, AppRuntime } from '../context.ts';

/** From the served document to the wanted one. Runs on the document as it is under the lock, so two editors never lose an edit. */
export type Edit = (current: SchemaDocument) => SchemaDocument;

export interface Served {
  readonly ownerApp: string | null;
  readonly servedVersion: number;
  readonly latestVersion: number;
  /** Where the app is to stay, whatever is published; null: nowhere. */
  readonly pinnedVersion: number | null;
  readonly document: SchemaDocument;
}

export interface Prepared {
  /** What is served. */
  readonly current: SchemaDocument;
  readonly document: SchemaDocument;
  readonly changes: readonly Change[];
  readonly instructions: readonly Instruction[];
  /** What earlier versions left in the tables. */
  readonly held: readonly Held[];
  /** The migration that this one takes back. */
  readonly undone?: Undone;
  readonly findings: readonly Finding[];
  readonly plan: Plan;
  readonly planHash: string;
  readonly documentHash: string;
}

/** Of the keys and texts of all steps. */
export const planHashOf = ({ steps }: Plan): string => sha256(steps.map((step) => `${step.key}\n${stepText(step)}`).join('\n'));

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Like `readServed`, for an app about to change its schema: one that follows another's may not. */
export async function readOwned(client: pg.Pool | pg.PoolClient, ctx: AppContext, lock: boolean): Promise<Served> {
  const served = await readServed(client, ctx, lock);
  if (served.ownerApp === ctx.app.id) return served;
  throw new AppError(
    'SHARED_SCHEMA',
    `App "${ctx.app.name}" follows the schema "${ctx.app.schemaName}", so its definitions cannot be changed here.`,
    {
      hint: `Publish to POST /api/_platform/schemas/${ctx.app.schemaName}/versions.`,
    },
  );
}

/** A pinned app takes no version but that one. Definitions that change nothing are no version. */
export function refusePinned(app: Pick<AppRuntime, 'name' | 'schemaName'>, { pinnedVersion }: Pick<Served, 'pinnedVersion'>): void {
  if (pinnedVersion === null) return;
  throw new AppError('CONFLICT', `App "${app.name}" is pinned to version ${pinnedVersion} of the schema "${app.schemaName}".`, {
    hint: `PUT /api/_platform/apps/${app.name} {"pinned_version": null} lets it go to the newest version; POST /api/_platform/schemas/${app.schemaName}/versions publishes without moving it.`,
  });
}

/** The app's version as the catalog has it. With `lock` no other publish of this schema passes until the transaction ends. */
export async function readServed(
  client: pg.Pool | pg.PoolClient,
  ctx: { readonly app: Pick<AppRuntime, 'id' | 'name' | 'schemaName'> },
  lock: boolean,
): Promise<Served> {
  const [schema] = await run<{ owner_app: string | null; latest_version: number }>(
    client,
    sql`
    select owner_app, latest_version from durabase.schemas where name = ${value(ctx.app.schemaName)}${lock ? sql` for update` : sql``}`,
  );
  if (schema === undefined) throw new AppError('INTERNAL_ERROR', `The schema of app "${ctx.app.name}" is not in the catalog.`);
  const [row] = await run<{ served_version: number; pinned_version: number | null; document: SchemaDocument | null }>(
    client,
    sql`
    select a.served_version, a.pinned_version, v.document from durabase.apps a
    left join durabase.schema_versions v on v.schema_name = a.schema_name and v.version = a.served_version
    where a.id = ${value(ctx.app.id)}`,
  );
  if (row === undefined) throw new AppError('APP_NOT_FOUND', `There is no app "${ctx.app.name}".`);
  return {
    ownerApp: schema.owner_app,
    servedVersion: row.served_version,
    latestVersion: schema.latest_version,
    pinnedVersion: row.pinned_version,
    document: row.document === null ? EMPTY_DOCUMENT : fromStore(row.document),
  };
}

/** What is known of a schema beside the two documents. */
export interface SchemaFacts extends StorageFacts {
  readonly storage: string;
}

/** Reviews, diffs and plans. Throws VALIDATION_FAILED or UNSAFE_CHANGE; changes nothing. */
export function prepare(facts: SchemaFacts, current: SchemaDocument, edit: Edit): Prepared {
  const wanted = edit(current);
  const instructions = wanted.migrate ?? [];
  const present = presentIds(current);
  const dropped = new Set(facts.held.map((one) => one.id).filter((id) => !present.has(id)));
  const identified = stored(assignIds(applyRenames(wanted, current), current, uuidv7, dropped));
  return prepared(facts, current, assignStorage(identified, current, facts, convertedFields(instructions)), instructions);
}

/** Held is also what a field had before it was converted: that one is there still. */
const presentIds = (document: SchemaDocument): Set<string | undefined> =>
  new Set([
    ...document.entities.flatMap((entity) => [entity.id, ...entity.fields.map((field) => field.id)]),
    ...document.relations.map((relation) => relation.id),
  ]);

/** Back to the version before, whose columns a migration in grace keeps in step: the document is that one, storage included. */
export const prepareUndo = (facts: SchemaFacts, current: SchemaDocument, edit: Edit, undone: Undone): Prepared =>
  prepared(facts, current, withFormerKeysOf(edit(current), current, facts.version), [], undone);

/** The same between two documents as the registry keeps them. */
export const prepareMove = (
  facts: SchemaFacts,
  current: SchemaDocument,
  document: SchemaDocument,
  instructions: readonly Instruction[] = [],
): Prepared => prepared(facts, current, document, instructions);

function prepared(
  facts: SchemaFacts,
  current: SchemaDocument,
  document: SchemaDocument,
  instructions: readonly Instruction[],
  undone?: Undone,
): Prepared {
  const review = reviewDocument(document);
  refuseErrors(review.errors);
  const model = buildModel(document);
  refuseErrors(policyErrors(model, facts.storage));
  // A request that is sent again, because its answer was lost, has nothing left to convert.
  const plain = diff(current, document);
  const conversions = undone === undefined ? conversionsOf(instructions, current, document) : takenBack(undone, current, document);
  const moves = plain.length === 0 ? [] : undone === undefined ? movesOf(instructions, current, document) : movedBack(undone);
  const splits = plain.length === 0 ? [] : undone === undefined ? splitsOf(instructions, current, document) : splitBack(undone);
  const changes = plain.length === 0 ? plain : withRestored(diff(current, document, conversions, moves, splits), model, facts.held);
  const planned = plan(changes, {
    previous: buildModel(current),
    next: model,
    storage: facts.storage,
    held: facts.held,
    version: facts.version,
    ...(undone === undefined ? {} : { undone }),
  });
  return {
    current,
    document,
    changes,
    instructions,
    held: facts.held,
    ...(undone === undefined ? {} : { undone }),
    findings: review.findings,
    plan: planned,
    planHash: planHashOf(planned),
    documentHash: sha256(canonical(document)),
  };
}

export const addedEntities = (changes: readonly Change[]): string[] =>
  changes.flatMap((change) => (change.kind === 'add_entity' && change.entity !== undefined ? [change.entity] : []));

/** What a version keeps: sample rows, the time of an export, instructions and rename hints belong to one call only. */
function stored(document: SchemaDocument): SchemaDocument {
  const { sample_data: _rows, exported_at: _at, migrate: _instructions, ...kept } = document;
  const withoutWas = <T extends { was?: string | undefined }>(item: T): T => {
    const { was: _was, ...rest } = item;
    return rest as T;
  };
  return {
    ...kept,
    entities: kept.entities.map((entity) => ({ ...withoutWas(entity), fields: entity.fields.map(withoutWas) })),
    relations: kept.relations.map(withoutWas),
  };
}

function refuseErrors(errors: readonly { readonly message: string }[]): void {
  const first = errors[0];
  if (first === undefined) return;
  const rest = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  throw new AppError('VALIDATION_FAILED', `${first.message}${rest}`, { details: errors });
}

/** The facts of one more version of an app's schema. */
export const schemaFacts = async (
  db: pg.Pool | pg.PoolClient,
  app: Pick<AppRuntime, 'schemaName' | 'storage'>,
  version: number,
): Promise<SchemaFacts> => ({ storage: app.storage, version, held: await heldBy(db, app.schemaName) });

/** What the versions of a schema left in its tables, the newest first; some of it may have been purged since. */
export async function heldBy(db: pg.Pool | pg.PoolClient, schemaName: string): Promise<Held[]> {
  const rows = await run<{ held: Held[] }>(
    db,
    sql`
    select change->'held' as held from durabase.schema_versions v, jsonb_array_elements(v.changes) as change
    where v.schema_name = ${value(schemaName)} and v.class = 'breaking' and change ? 'held' order by v.version desc`,
  );
  return rows.flatMap((row) => row.held);
}

/** Asks the data what the plan needs to hold. All refusals at once. */
export async function checkData(client: pg.Pool | pg.PoolClient, planned: Plan): Promise<void> {
  const refused: Change[] = [];
  for (const check of planned.checks) {
    const [row] = await run<{ count: number }>(client, check.count);
    const count = row?.count ?? 0;
    if (count === 0) continue;
    refused.push({
      kind: check.kind,
      class: 'breaking',
      refused: true,
      entity: check.entity,
      ...(check.field === undefined ? {} : { field: check.field }),
      message: check.message(count),
      hint: check.hint,
    });
  }
  refuseUnsafe(refused);
}
