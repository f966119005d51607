/** What holds writers up: locks without a bound, scans and rewrites of a whole table under one. */
import type { Act, ColumnText } from '../acts.ts';
import { lockOf, stopsWriters } from '../locks.ts';
import { timeoutSet, type PlacedAct, type PlanText, type ReadStep } from '../plan-text.ts';
import { nameText } from '../reader.ts';
import type { Token } from '../tokens.ts';
import { isDdl } from '../acts.ts';
import { eachAct, type Rule } from './rule.ts';

/** A try longer than this is a stall that clients notice. */
const LONGEST_LOCK_TRY_MS = 1_000;

export const lockTimeout: Rule = {
  id: 'lock-timeout',
  severity: 'error',
  title: 'A lock that stops writers is waited for with a lock_timeout of at most one second.',
  hint: 'Run it in a brief step: one short transaction with lock_timeout, tried again with jitter.',
  find(step, plan) {
    const ms = timeoutSet(step, 'lock_timeout') ?? step.lockTimeoutMs;
    if (ms !== undefined && ms <= LONGEST_LOCK_TRY_MS) return [];
    const strong = step.acts.find((placed) => stopsWriters(lockOf(placed.act)) && isOnLiveTable(placed, plan));
    if (strong === undefined) return [];
    const bound = ms === undefined ? 'without a bound' : `for up to ${ms} ms`;
    return [`Waits ${bound} for ${lockOf(strong.act)} on ${placeOf(strong.act, plan)}; every writer queues behind it.`];
  },
};

export const statementTimeout: Rule = {
  id: 'statement-timeout',
  severity: 'warning',
  title: 'A brief step has a statement_timeout.',
  hint: 'Set statement_timeout for the transaction: a statement that turns out long gives its lock back.',
  find(step, plan) {
    if (step.mode !== 'brief' || (timeoutSet(step, 'statement_timeout') ?? step.statementTimeoutMs) !== undefined) return [];
    const ddl = step.acts.find(({ act }) => isDdl(act));
    return ddl === undefined ? [] : [`Holds ${lockOf(ddl.act)} on ${placeOf(ddl.act, plan)} for as long as its statements take.`];
  },
};

export const indexConcurrently: Rule = {
  id: 'index-concurrently',
  severity: 'error',
  title: 'Indexes of a table in use are built, dropped and rebuilt CONCURRENTLY.',
  hint: 'Add CONCURRENTLY and run the statement in a long step, outside a transaction.',
  find: eachAct((act, plan, { at }) => {
    switch (act.kind) {
      case 'create_index':
      case 'reindex':
      case 'refresh_view':
      case 'detach_partition':
        if (act.isConcurrent || !plan.isLive(act.table, at)) return undefined;
        return `Holds ${lockOf(act)} on ${plan.place(act.table)} until the work on all of its rows is over.`;
      case 'drop': {
        const [index] = act.names;
        if (act.object !== 'index' || act.isConcurrent || index === undefined) return undefined;
        const table = plan.all('create_index', at).find((made) => nameText(made.act.index) === nameText(index))?.act.table;
        if (table !== undefined && !plan.isLive(table, at)) return undefined;
        return `Takes ACCESS EXCLUSIVE on the table of the index "${nameText(index)}" (rows unknown) and waits for its readers.`;
      }
      default:
        return undefined;
    }
  }),
};

export const concurrentlyAlone: Rule = {
  id: 'concurrently-alone',
  severity: 'error',
  title: 'CONCURRENTLY runs outside a transaction.',
  hint: 'Make it a statement of its own in a long step.',
  find: eachAct((act, plan, { statement }, step) => {
    if (!('isConcurrent' in act) || !act.isConcurrent || act.kind === 'refresh_view') return undefined;
    const isAlone = step.mode === 'long' && isOwnText(step, statement) && !step.acts.some((other) => other.act.kind === 'transaction');
    return isAlone ? undefined : `Postgres refuses ${lockOf(act)} work with CONCURRENTLY on ${placeOf(act, plan)} inside a transaction.`;
  }),
};

/** Several statements sent as one text are one transaction. */
function isOwnText(step: ReadStep, statement: number): boolean {
  const first = step.acts[0]?.statement ?? 0;
  let seen = first;
  for (const count of step.counts) {
    if (statement < seen + count) return count === 1;
    seen += count;
  }
  return true;
}

export const noRewrite: Rule = {
  id: 'no-rewrite',
  severity: 'error',
  title: 'No statement rewrites a table in use.',
  hint: 'Add a column beside the old one, keep both in step by trigger, fill it in batches, then switch.',
  find: eachAct((act, plan, { at }) => {
    const text = (what: string, table: Parameters<PlanText['place']>[0]) =>
      `${what} writes ${plan.place(table)} again, under ACCESS EXCLUSIVE: nobody reads or writes meanwhile.`;
    if (act.kind === 'rewrite_table' && plan.isLive(act.table, at)) return text(act.words.toUpperCase(), act.table);
    if (act.kind === 'add_column' && plan.isLive(act.table, at) && (act.column.isIdentity || isSerial(act.column)))
      return text(`Numbering the rows in "${act.column.name}"`, act.table);
    if (act.kind !== 'alter_type' || !plan.isLiveColumn(act.table, act.column, at) || keepsStoredForm(act, plan)) return undefined;
    return text(`The new type of "${act.column}"`, act.table);
  }),
};

type AlterType = Extract<Act, { kind: 'alter_type' }>;

/** The few changes of a type that leave the stored bytes as they are. Without the old type nothing is known. */
function keepsStoredForm(act: AlterType, plan: PlanText): boolean {
  const old = plan.facts.tables.get(nameText(act.table))?.columns?.get(act.column);
  if (old === undefined || act.hasUsing) return false;
  const [, oldType = old, oldArguments = ''] = /^([^(]+?)(?:\(([^)]*)\))?$/.exec(old) ?? [];
  const from = sameType(oldType);
  const to = sameType(act.type);
  if (from === 'varchar' && to === 'text') return true;
  if (from !== to || !['varchar', 'numeric', 'text'].includes(to)) return false;
  return isWider(oldArguments, act.typeArguments.replaceAll(' ', ''));
}

const sameType = (type: string): string => ({ 'character varying': 'varchar', decimal: 'numeric' })[type] ?? type;

function isWider(from: string, to: string): boolean {
  if (to === '' || from === to) return true;
  if (from === '') return false;
  const [length = 0, scale = 0] = from.split(',').map(Number);
  const [newLength = 0, newScale = 0] = to.split(',').map(Number);
  return newLength >= length && newScale === scale;
}

export const isSerial = (column: ColumnText): boolean => /^(small|big)?serial[248]?$/.test(column.type);

export const volatileDefault: Rule = {
  id: 'volatile-default',
  severity: 'error',
  title: 'A column added to a table in use has a constant default, or none.',
  hint: 'Add the column without it, SET DEFAULT, and fill the stored rows in batches.',
  find: eachAct((act, plan, { at }) => {
    if (act.kind !== 'add_column' || act.column.default === undefined || !plan.isLive(act.table, at)) return undefined;
    const call = unknownCall(act.column.default);
    if (call === undefined) return undefined;
    return `${call}() answers anew for each row, so the default of "${act.column.name}" writes ${plan.place(act.table)} again under ACCESS EXCLUSIVE.`;
  }),
};

/** Postgres asks these once per statement; any other function may answer differently for each row. */
const STEADY = new Set(
  'now transaction_timestamp statement_timestamp timezone to_timestamp to_date make_date date_trunc make_interval lower upper md5 concat coalesce nullif greatest least cast row array jsonb_build_object jsonb_build_array to_jsonb current_setting abs round length replace decode encode'.split(
    ' ',
  ),
);

function unknownCall(tokens: readonly Token[]): string | undefined {
  const call = tokens.find((token, at) => {
    const isCalled = (token.kind === 'word' || token.kind === 'name') && tokens[at + 1]?.text === '(' && tokens[at + 1]?.kind === 'symbol';
    return isCalled && !isTypeName(tokens, at) && !STEADY.has(token.text);
  });
  return call?.text;
}

/** `::numeric(10,2)` and `as varchar(3)` are no calls. */
function isTypeName(tokens: readonly Token[], at: number): boolean {
  const words = tokens.slice(Math.max(0, at - 2), at).map((token) => token.text);
  return words.includes('::') || words.includes('as');
}

export const generatedStored: Rule = {
  id: 'generated-stored',
  severity: 'error',
  title: 'No stored generated column is added to a table in use.',
  hint: 'Add a plain column, keep it by trigger, and fill it in batches.',
  find: eachAct((act, plan, { at }) => {
    if (act.kind !== 'add_column' || !act.column.isStored || !plan.isLive(act.table, at)) return undefined;
    return `Computing "${act.column.name}" writes ${plan.place(act.table)} again under ACCESS EXCLUSIVE.`;
  }),
};

export function placeOf(act: Act, plan: PlanText): string {
  if ('table' in act) return plan.place(act.table);
  if ('tables' in act) return act.tables.map((table) => plan.place(table)).join(', ');
  if ('names' in act) return act.names.map((name) => `${act.object} ${plan.place(name)}`).join(', ');
  return 'what it names';
}

export function isOnLiveTable({ act, at }: PlacedAct, plan: PlanText): boolean {
  if ('table' in act) return plan.isLive(act.table, at);
  if (act.kind === 'drop') return act.names.some((name) => plan.isLive(name, at));
  return true;
}
