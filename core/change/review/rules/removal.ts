/** What takes something away: from clients that still ask for it, or for good. */
import type { Act } from '../acts.ts';
import { saysCascade, type PlanText, type ReadStep } from '../plan-text.ts';
import { nameText, type ObjectName } from '../reader.ts';
import { lockOf } from '../locks.ts';
import { eachAct, type Rule } from './rule.ts';
import { placeOf } from './locking.ts';

const AFTER_SWITCH = new Set(['settle', 'contract', 'purge']);

const isBeforeSwitch = (step: ReadStep): boolean => !AFTER_SWITCH.has(step.phase);

export const noRename: Rule = {
  id: 'no-rename',
  severity: 'error',
  title: 'Nothing is renamed under the clients that use its name.',
  hint: 'Give the new name as an alias of the API version; rename after the switch, or never.',
  find: eachAct((act, plan, { at }, step) => {
    if (act.kind !== 'rename' || act.object === 'other') return undefined;
    const isLive = act.object === 'table' ? plan.isLive(act.table, at) : plan.isLiveColumn(act.table, act.from, at);
    if (!isLive) return undefined;
    const text = `${act.object === 'table' ? 'The table' : `"${act.from}" of`} ${plan.place(act.table)} is gone for every client at once (ACCESS EXCLUSIVE)`;
    if (isBeforeSwitch(step)) return `${text}, before the switch.`;
    return isUsed(act, plan) && !isGivenBack(act, step) ? `${text}, and the version after the switch still uses it.` : undefined;
  }),
};

type Rename = Extract<Act, { kind: 'rename' }>;

const isUsed = (act: Rename, plan: PlanText): boolean =>
  plan.facts.used.has(act.object === 'table' ? nameText(act.table) : `${nameText(act.table)}.${act.from}`);

/** Another thing takes the name over in the same transaction. */
const isGivenBack = (act: Rename, step: ReadStep): boolean =>
  step.mode === 'brief' &&
  step.acts.some(
    ({ act: other }) =>
      (other.kind === 'rename' && other.object === act.object && other.to === act.from) ||
      (act.object === 'table' && other.kind === 'create_other' && other.object === 'view' && nameText(other.name) === nameText(act.table)),
  );

export const noDropInUse: Rule = {
  id: 'no-drop-in-use',
  severity: 'error',
  title: 'Nothing is dropped while a served version uses it.',
  hint: 'Drop it in the contract phase, when no client asks for the old version any more.',
  find: (step, plan) =>
    step.acts.flatMap(({ act, at }) => {
      const why = (isGone: string): string =>
        `${isGone} (${lockOf(act)}) ${isBeforeSwitch(step) ? 'before the switch' : 'although the version after the switch uses it'}.`;
      if (act.kind === 'drop_column') {
        const isBad = isBeforeSwitch(step)
          ? plan.isLiveColumn(act.table, act.column, at)
          : plan.facts.used.has(`${nameText(act.table)}.${act.column}`);
        return isBad ? [why(`Drops "${act.column}" of ${plan.place(act.table)}`)] : [];
      }
      if (act.kind !== 'drop' || !WITH_DATA.has(act.object)) return [];
      return act.names
        .filter((name) => isDroppedInUse(act.object, name, at, step, plan))
        .map((name) => why(`Drops the ${act.object} ${plan.place(name)}`));
    }),
};

const WITH_DATA = new Set(['table', 'view', 'index', 'schema', 'type', 'domain', 'sequence']);

function isDroppedInUse(object: string, name: ObjectName, at: number, step: ReadStep, plan: PlanText): boolean {
  if (!isBeforeSwitch(step)) return plan.facts.used.has(nameText(name));
  // The invalid leftover of an index that this plan builds.
  if (object === 'index') return !plan.all('create_index').some(({ act }) => nameText(act.index) === nameText(name));
  if (object === 'table') return plan.isLive(name, at);
  return !plan.all('create_other', at).some(({ act }) => act.object === object && nameText(act.name) === nameText(name));
}

export const noCascade: Rule = {
  id: 'no-cascade',
  severity: 'error',
  title: 'No CASCADE: what goes is named.',
  hint: 'Name what depends on it and drop that first; records that refer to others are deleted by the engine, with their events.',
  find: (step, plan) => {
    const isSaid = step.texts.some((tokens) => saysCascade(tokens));
    const first = step.acts[0];
    return isSaid && first !== undefined
      ? [`CASCADE reaches tables and rows beyond ${placeOf(first.act, plan)}, each under ${lockOf(first.act)}.`]
      : [];
  },
};

export const noTruncate: Rule = {
  id: 'no-truncate',
  severity: 'error',
  title: 'No TRUNCATE.',
  hint: 'Delete in batches, or make a new table.',
  find: eachAct((act, plan) =>
    act.kind === 'truncate'
      ? `Removes every row of ${placeOf(act, plan)} under ACCESS EXCLUSIVE, also those written since the plan.`
      : undefined,
  ),
};

export const backupFirst: Rule = {
  id: 'backup-first',
  severity: 'warning',
  title: 'A contract that loses values follows a fresh backup.',
  hint: 'Make a backup before the contract, or keep a copy of what it drops.',
  find: eachAct((act, plan, { at }, step) => {
    const { backupAgeHours, backupHours } = plan.facts;
    if (isBeforeSwitch(step) || (backupAgeHours !== undefined && backupAgeHours <= backupHours)) return undefined;
    if (!losesValues(act, plan, at)) return undefined;
    const age =
      backupAgeHours === undefined
        ? 'there is no backup'
        : `the newest backup is ${Math.round(backupAgeHours)} hours old, more than ${backupHours}`;
    return `Values of ${placeOf(act, plan)} are lost for good (${lockOf(act)}), and ${age}.`;
  }),
};

function losesValues(act: Act, plan: PlanText, at: number): boolean {
  if (act.kind === 'drop_column') return plan.isLiveColumn(act.table, act.column, at);
  if (act.kind === 'drop') return act.object === 'table' || act.object === 'schema';
  return act.kind === 'truncate' || (act.kind === 'change_data' && act.verb === 'delete');
}
