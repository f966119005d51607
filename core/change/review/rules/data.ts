/** Statements that change rows. */
import { isDdl, type Act } from '../acts.ts';
import { lockOf } from '../locks.ts';
import { rowsText, type PlanText } from '../plan-text.ts';
import { nameText, type ObjectName } from '../reader.ts';
import { eachAct, type Rule } from './rule.ts';
import { placeOf } from './locking.ts';

export const ddlApart: Rule = {
  id: 'ddl-apart-from-data',
  severity: 'error',
  title: 'A transaction changes definitions or rows of a table in use, not both.',
  hint: 'Change the rows in a step of its own, in batches.',
  find: (step, plan) => {
    const ddl = step.acts.find(({ act }) => isDdl(act));
    const data = step.acts.find(({ act, at }) => act.kind === 'change_data' && plan.isLive(act.table, at));
    if (ddl === undefined || data === undefined || step.mode !== 'brief') return [];
    return [
      `The rows of ${placeOf(data.act, plan)} change while the locks of the definitions are held (ROW EXCLUSIVE and ACCESS EXCLUSIVE).`,
    ];
  },
};

export const whereRequired: Rule = {
  id: 'where-required',
  severity: 'error',
  title: 'UPDATE and DELETE say WHERE.',
  hint: 'Go over the rows in batches by key, each with its WHERE.',
  find: eachAct((act, plan, { at }) => {
    if (act.kind !== 'change_data' || act.hasWhere || !['update', 'delete'].includes(act.verb) || !plan.isLive(act.table, at))
      return undefined;
    return `${act.verb.toUpperCase()} without a WHERE that chooses locks every row of ${plan.place(act.table)} (ROW EXCLUSIVE on the table) until it commits.`;
  }),
};

export const affectedRows: Rule = {
  id: 'affected-rows',
  severity: 'warning',
  title: 'A change of more rows than the bound wants a second approver.',
  hint: 'Let somebody else read and approve the plan too.',
  find: eachAct((act, plan, { at }) => {
    const large = changedTables(act, plan, at).find((table) => (plan.facts.tables.get(nameText(table))?.rows ?? 0) > plan.facts.rowBound);
    if (large === undefined) return undefined;
    return `Up to every row of ${plan.place(large)} is affected (${lockOf(act)}), more than ${rowsText(plan.facts.rowBound)}.`;
  }),
};

/** Tables whose stored rows the act changes or takes away. */
function changedTables(act: Act, plan: PlanText, at: number): readonly ObjectName[] {
  switch (act.kind) {
    case 'drop':
      return act.object === 'table' ? act.names : [];
    case 'drop_column':
      return plan.isLiveColumn(act.table, act.column, at) ? [act.table] : [];
    case 'change_data':
      return act.verb === 'insert' || act.verb === 'copy' ? [] : [act.table];
    default:
      return [];
  }
}
