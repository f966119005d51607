/**
 * A write that is refused anyway is looked at once more as a whole, so that one answer names the mistakes of the record and of all
 * rows nested in it. Nothing is written here: rules over related records wait for a write that can be made.
 */
import type { AppError, ErrorDetail } from '../../core/errors.ts';
import type { RulePlan } from '../../core/rules/plan.ts';
import { run } from '../../adapters/postgres/run.ts';
import { applyFunctions } from '../functions/in-write.ts';
import { runChain } from '../rules/chain.ts';
import { nestedErrors, within } from './body.ts';
import type { Draft, NestedPart } from './draft.ts';
import { initialValues, plainRecord } from './initial-values.ts';
import { keyCondition } from './record-key.ts';
import { readStatement, type StatementResult } from './statements.ts';
import { invalid, nestedInvalid } from './write-result.ts';
import { accessOf, prepared, rulesOf, statementOptions, type PlainRecord, type Write } from './write-state.ts';

/** True when the record, or what was read of the rows nested in it, has mistakes. Those of deeper rows were looked at with the top. */
export const isInvalid = (draft: Draft, own: readonly ErrorDetail[], isTop: boolean): boolean =>
  own.length > 0 || (isTop && draft.nested.length > 0 && nestedErrors(draft).length > 0);

/** The refusal that names everything. */
export async function refusalOfAll(write: Write, draft: Draft, own: readonly ErrorDetail[]): Promise<AppError> {
  const nested = await judgeNested(write, draft);
  return own.length > 0 ? invalid(draft.entity, [...own, ...nested]) : nestedInvalid(nested);
}

async function judgeNested(write: Write, draft: Draft): Promise<ErrorDetail[]> {
  const found: ErrorDetail[] = [];
  for (const part of draft.nested) {
    found.push(...part.errors);
    for (const row of part.rows) {
      if (row.kind !== 'write') continue;
      const rules = write.options.asSampleData === true ? [] : await judgeRow(write, part, row.draft, row.key);
      const details = [...row.draft.errors, ...rules, ...(await judgeNested(write, row.draft))];
      found.push(...details.map((detail) => within(part.name, row.index, detail)));
    }
  }
  return found;
}

async function judgeRow(write: Write, part: NestedPart, draft: Draft, key: string | undefined): Promise<readonly ErrorDetail[]> {
  const { entity, action } = draft;
  const access = accessOf(write, entity, action);
  if (!access.isGranted) return [];
  const old = action === 'update' ? await storedRecord(write, draft, key) : null;
  if (old === undefined) return [];
  const made = action === 'create' ? initialValues(write, draft, access, undefined) : { values: draft.given, errors: [] };
  const given = Object.fromEntries([...made.values].map(([name, { plain }]) => [name, plain]));
  const record = old === null ? plainRecord(entity, made.values) : { ...old, ...given };
  // The parent's key is not known before the parent is written: no rule over it can be asked.
  const linkField = part.end.targetField;
  const bad = new Set([...draft.bad, ...(action === 'update' ? [] : [linkField])]);
  const plan = withoutRelated(rulesOf(write.ctx, entity));
  const filled = await applyFunctions(write, entity, action, { record, old, bad });
  const chain = await runChain({ ctx: write.ctx, db: write.db, entity, plan, action, record, old, bad }, draft.errors);
  return [...made.errors, ...filled, ...chain.errors];
}

/** The stored row as the caller may change it; undefined when there is none for them. */
async function storedRecord(write: Write, { entity }: Draft, key: string | undefined): Promise<PlainRecord | undefined> {
  const condition = key === undefined ? undefined : keyCondition(entity, 't', key);
  if (condition === undefined) return undefined;
  const options = statementOptions(write, entity, 'update', { record: false });
  const [row] = await run<StatementResult & Record<string, unknown>>(
    write.db,
    readStatement(options, { condition, assigned: [], versions: undefined }, 'none'),
    prepared(write),
  );
  if (row === undefined || row.readable === false || row.allowed === false) return undefined;
  return JSON.parse(row.record ?? '{}') as PlainRecord;
}

/** The checks that need nothing but the record itself. A guard may look at computed fields, and those are not computed here. */
export const withoutRelated = (plan: RulePlan): RulePlan => ({
  ...plan,
  beforeWrite: plan.beforeWrite.filter((check) => check.kind === 'field' || check.loads.length === 0),
  computed: [],
  machines: plan.computed.length === 0 ? plan.machines : [],
});
