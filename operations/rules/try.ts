/**
 * Tries a payload on an entity's checks, rules, computed fields and machines, with drafts among them, and says of each how it
 * went. The parts are those of a write, asked one by one; nothing is written.
 */
import { AppError, isAppError, type ErrorDetail } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { entityOf, type EntityModel } from '../../core/model/model.ts';
import { readItem } from '../../core/model/read-document.ts';
import { ruleTrial } from '../../core/payloads/trials.ts';
import { accessFor } from '../../core/policy/policy.ts';
import type { Check } from '../../core/rules/plan.ts';
import { raw } from '../../core/sql/sql.ts';
import { run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { actorOfAs } from '../auth/as.ts';
import { systemActor, type AppContext } from '../context.ts';
import { applyFunctions, type Candidate } from '../functions/in-write.ts';
import { readPayload } from '../payload.ts';
import { hasNested, readBody } from '../records/body.ts';
import type { Draft, FieldValue } from '../records/draft.ts';
import { fillSlug, initialValues } from '../records/initial-values.ts';
import { newWrite } from '../records/write.ts';
import { rulesOf, type Write } from '../records/write-state.ts';
import { draftRuntime, withDrafts } from '../schemas/draft-runtime.ts';
import { computeOne, decideMachine, runChecks, setFields, skipReason, type ChainInput } from './chain.ts';

export interface RuleOutcome {
  /** The word an error of it carries: `required`, `min`, `expression`, `computed`, `transition`, ... */
  readonly rule: string;
  readonly outcome: 'passed' | 'violated' | 'skipped' | 'error';
  /** What is wrong, why it was skipped, or what stopped the evaluation. */
  readonly message: string | null;
  readonly field?: string;
  /** Of a stored or drafted rule. */
  readonly id?: string;
  readonly name?: string;
  readonly is_draft?: boolean;
}

export interface TriedRules {
  readonly valid: boolean;
  /** Computed fields, and what transitions would set. */
  readonly computed: Readonly<Record<string, unknown>>;
  readonly results: readonly RuleOutcome[];
}

export async function tryRules(ctx: AppContext, given: unknown): Promise<TriedRules> {
  const body = readPayload(ruleTrial, given, 'rules/try');
  entityOf(ctx.app.model, body.entity);
  const { app, drafts } = withDraftRules(ctx, body.drafts ?? []);
  const actor = body.as === undefined ? ctx.actor : await actorOfAs(ctx, body.as);
  const action = body.action ?? (body.old === undefined || body.old === null ? 'create' : 'update');
  if (action === 'update' && (body.old === undefined || body.old === null))
    throw new AppError('INVALID_PAYLOAD', 'An update is tried on the stored record: give it as "old".');
  const trial = { ...ctx, app, actor };
  return transaction(ctx.services.pool, async (db) => {
    await run(db, raw('set transaction read only'));
    return new Trial(trial, db, entityOf(app.model, body.entity), action, drafts).run(body.record, body.old ?? null);
  });
}

/** The app with the drafts in it, and which rules are drafts: those that were not there, or not like this. */
function withDraftRules(ctx: AppContext, items: readonly Record<string, unknown>[]) {
  if (items.length === 0) return { app: ctx.app, drafts: new Set<string>() };
  const isMachine = (item: Record<string, unknown>): boolean => 'transitions' in item || 'transitions' in Object(item['definition']);
  const keepId = (item: Record<string, unknown>) => (typeof item['id'] === 'string' ? { id: item['id'] } : {});
  const rules = items.flatMap((item, index) =>
    isMachine(item) ? [] : [{ ...readItem('rules', item, `drafts[${index}]`), ...keepId(item) }],
  );
  const machines = items.flatMap((item, index) =>
    isMachine(item) ? [{ ...readItem('state_machines', item, `drafts[${index}]`), ...keepId(item) }] : [],
  );
  const app = draftRuntime(ctx, (current: SchemaDocument) => ({
    ...current,
    rules: withDrafts(current.rules, rules),
    state_machines: withDrafts(current.state_machines, machines),
  }));
  const stored = new Set(ctx.app.model.document.rules.map((rule) => rule.id));
  const named = new Set(rules.map((rule) => rule.id));
  const drafts = app.model.document.rules.flatMap((rule) =>
    rule.id !== undefined && (!stored.has(rule.id) || named.has(rule.id)) ? [rule.id] : [],
  );
  return { app, drafts: new Set(drafts) };
}

class Trial {
  readonly #results: RuleOutcome[] = [];
  readonly #computed: Record<string, unknown> = {};
  readonly #write: Write;
  readonly #ctx: AppContext;
  readonly #entity: EntityModel;
  readonly #action: ChainInput['action'];
  readonly #drafts: ReadonlySet<string>;

  constructor(ctx: AppContext, db: Db, entity: EntityModel, action: ChainInput['action'], drafts: ReadonlySet<string>) {
    this.#ctx = ctx;
    this.#entity = entity;
    this.#action = action;
    this.#drafts = drafts;
    this.#write = newWrite(ctx, {}, db as Parameters<typeof newWrite>[2], true);
  }

  async run(record: Record<string, unknown>, old: Record<string, unknown> | null): Promise<TriedRules> {
    const plan = rulesOf(this.#ctx, this.#entity);
    const input = this.#action === 'delete' ? this.#deletion(record, old) : await this.#merged(record, old);
    let stopped: string | undefined;
    for (const check of this.#action === 'delete' ? plan.beforeDelete : plan.beforeWrite)
      stopped = await this.#check(input, check, stopped);
    if (this.#action !== 'delete') {
      await this.#compute(input, stopped);
      if ((await this.#machines(input, stopped)) && this.#isValid()) await this.#compute(input, stopped, true);
      for (const check of plan.afterWrite) stopped = await this.#check(input, check, stopped);
    }
    return { valid: this.#isValid(), computed: this.#computed, results: this.#results };
  }

  #isValid = (): boolean => this.#results.every(({ outcome }) => outcome === 'passed' || outcome === 'skipped');

  #deletion(record: Record<string, unknown>, old: Record<string, unknown> | null): ChainInput {
    const stored = old ?? record;
    return this.#input({ ...stored }, stored, new Set());
  }

  #input = (record: Record<string, unknown>, old: ChainInput['old'], bad: ReadonlySet<string>): ChainInput => ({
    ctx: this.#ctx,
    db: this.#write.db,
    entity: this.#entity,
    plan: rulesOf(this.#ctx, this.#entity),
    action: this.#action,
    record,
    old,
    bad,
  });

  /** The record a write would judge: the payload with the engine's values, or over the stored one. */
  async #merged(body: Record<string, unknown>, old: Record<string, unknown> | null): Promise<ChainInput> {
    const entity = this.#entity;
    if (hasNested(entity, body)) throw new AppError('INVALID_PAYLOAD', 'One record is tried at a time: leave out its nested rows.');
    const write: Write = { ...this.#write, authority: systemActor() };
    const action = this.#action === 'update' ? 'update' : 'create';
    const draft = readBody({ write, entity, action, body });
    const before = old === null ? null : this.#plain(old);
    const { values, errors } = action === 'create' ? this.#initial(write, draft) : { values: new Map(draft.given), errors: [] };
    await fillSlug(write, entity, values, before);
    this.#fieldChecks(draft, [...draft.errors, ...errors]);
    const empty = Object.fromEntries([...entity.fields.keys()].map((name) => [name, null]));
    const made = Object.fromEntries([...values].map(([name, value]: [string, FieldValue]) => [name, value.plain]));
    const record: Record<string, unknown> = { ...(before ?? empty), ...made };
    await this.#functions(write, action, { record, old: before, bad: draft.bad });
    return this.#input(record, before, draft.bad);
  }

  #initial = (write: Write, draft: Draft) =>
    initialValues(write, draft, accessFor(this.#ctx.app, this.#ctx.actor, this.#entity, 'create', this.#ctx.now), undefined);

  #plain = (old: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries([...this.#entity.fields.keys()].map((name) => [name, old[name] ?? null]));

  /** Functions that would run inside the write; scripts are tried with functions/try. */
  async #functions(write: Write, action: 'create' | 'update', candidate: Candidate): Promise<void> {
    const before = { ...candidate.record };
    for (const { field, message } of await applyFunctions(write, this.#entity, action, candidate))
      this.#add({ rule: 'function', outcome: 'violated', message, ...(field === undefined ? {} : { field }) });
    for (const [name, value] of Object.entries(candidate.record)) if (before[name] !== value) this.#computed[name] = value;
  }

  /** The checks of the fields themselves: each given field once, and everything that is missing. */
  #fieldChecks(draft: Draft, errors: readonly ErrorDetail[]): void {
    for (const { field, rule = 'type', message } of errors)
      this.#add({ rule, outcome: 'violated', message, ...(field === undefined ? {} : { field }) });
    const wrong = new Set(errors.map(({ field }) => field));
    for (const name of draft.given.keys()) if (!wrong.has(name)) this.#add({ rule: 'type', outcome: 'passed', message: null, field: name });
  }

  #add = (outcome: RuleOutcome): void => void this.#results.push(outcome);

  async #check(input: ChainInput, check: Check, stopped: string | undefined): Promise<string | undefined> {
    const about = this.#about(check);
    if (stopped !== undefined) {
      this.#add({ ...about, outcome: 'skipped', message: stopped });
      return stopped;
    }
    let isViolated = false;
    await this.#guarded(about, async () => {
      const reason = await skipReason(input, check);
      const [error] = reason === undefined ? (await runChecks(input, [check])).errors : [];
      isViolated = error !== undefined;
      const outcome = reason !== undefined ? 'skipped' : isViolated ? 'violated' : 'passed';
      this.#add({ ...about, outcome, message: reason ?? error?.message ?? null });
    });
    return isViolated && check.stopOnFail ? `${about.name ?? about.rule} was violated and stops the list` : undefined;
  }

  #about(check: Check): Pick<RuleOutcome, 'rule' | 'field' | 'id' | 'name' | 'is_draft'> {
    const { id, name } = check.rule;
    const field = check.kind === 'field' ? check.field.name : check.rule.definition.field;
    return {
      rule: check.kind === 'field' ? check.rule.definition.operator : 'expression',
      ...(field === undefined ? {} : { field }),
      ...(id === undefined ? {} : { id, is_draft: this.#drafts.has(id) }),
      ...(name === undefined ? {} : { name }),
    };
  }

  /** An evaluation that fails says why and where, and the rest is still tried. */
  async #guarded(about: Omit<RuleOutcome, 'outcome' | 'message'>, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isAppError(error)) throw error;
      this.#add({ ...about, outcome: 'error', message: error.message });
    }
  }

  async #compute(input: ChainInput, stopped: string | undefined, isAgain = false): Promise<void> {
    const isClean = stopped === undefined && this.#isValid();
    for (const computed of input.plan.computed) {
      const about = { rule: 'computed', field: computed.field.name };
      if (!isClean) {
        this.#add({ ...about, outcome: 'skipped', message: 'computed only when nothing is wrong so far' });
        continue;
      }
      await this.#guarded(about, async () => {
        const error = await computeOne(input, computed);
        if (error === undefined) this.#computed[computed.field.name] = input.record[computed.field.name] ?? null;
        if (error !== undefined || !isAgain)
          this.#add({ ...about, outcome: error === undefined ? 'passed' : 'violated', message: error?.message ?? null });
      });
    }
  }

  /** Answers whether a transition set a field. */
  async #machines(input: ChainInput, stopped: string | undefined): Promise<boolean> {
    let hasSet = false;
    for (const machine of input.plan.machines) {
      const about = { rule: 'transition', field: machine.field.name };
      if (stopped !== undefined || input.bad.has(machine.field.name)) {
        this.#add({ ...about, outcome: 'skipped', message: stopped ?? `the value of ${machine.field.name} was refused already` });
        continue;
      }
      await this.#guarded(about, async () => {
        const move = await decideMachine(input, machine);
        if (move.kind === 'unchanged') return this.#add({ ...about, outcome: 'skipped', message: 'the state does not change' });
        if (move.kind !== 'allowed')
          return this.#add({ ...about, rule: move.detail.rule ?? 'transition', outcome: 'violated', message: move.detail.message });
        this.#add({ ...about, outcome: 'passed', message: null });
        for (const name of await this.#act(input, move.actions)) {
          hasSet = true;
          this.#computed[name] = input.record[name] ?? null;
        }
      });
    }
    return hasSet;
  }

  async #act(input: ChainInput, actions: Parameters<typeof setFields>[1]): Promise<readonly string[]> {
    const { set, errors } = await setFields(input, actions);
    for (const { field, message } of errors)
      this.#add({ rule: 'state_machine', outcome: 'violated', message, ...(field === undefined ? {} : { field }) });
    return set;
  }
}
