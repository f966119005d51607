/** Constraints on a table in use: first for new rows only, then proved for the stored ones, then relied on. */
import type { Act, ActOf } from '../acts.ts';
import { isSameName, type PlanText, type ReadStep } from '../plan-text.ts';
import { nameText, type ObjectName } from '../reader.ts';
import { eachAct, type Rule } from './rule.ts';

export const notValidFirst: Rule = {
  id: 'not-valid-first',
  severity: 'error',
  title: 'A check or foreign key on a table in use comes up NOT VALID and is validated in a later step.',
  hint: 'Add it NOT VALID; VALIDATE CONSTRAINT in a long step after it, which lets writers go on.',
  find: eachAct((act, plan, { at }, step) => {
    if (act.kind === 'add_column' && plan.isLive(act.table, at)) {
      // A new column without a default holds nothing, so Postgres has nothing to look up; a check is asked all the same.
      const isScanned = act.column.hasCheck || (act.column.hasReference && act.column.default !== undefined);
      return isScanned ? scans(`The constraint of the new column "${act.column.name}"`, act.table, plan, 'ACCESS EXCLUSIVE') : undefined;
    }
    if (act.kind === 'validate_constraint' && isAddedIn(step, act) && step.mode === 'brief') {
      return scans(`"${act.name}" is validated in the transaction that adds it, which`, act.table, plan, 'SHARE ROW EXCLUSIVE or more');
    }
    if (act.kind !== 'add_constraint' || act.constraint.isNotValid || !plan.isLive(act.table, at)) return undefined;
    if (act.constraint.kind === 'foreign_key') return scans('The foreign key', act.table, plan, 'SHARE ROW EXCLUSIVE');
    return act.constraint.kind === 'check' ? scans('The check', act.table, plan, 'ACCESS EXCLUSIVE') : undefined;
  }),
};

const scans = (what: string, table: ObjectName, plan: PlanText, lock: string): string =>
  `${what} reads all of ${plan.place(table)} under ${lock}.`;

const isAddedIn = (step: ReadStep, validated: ActOf<'validate_constraint'>): boolean =>
  step.acts.some(
    ({ act }) => act.kind === 'add_constraint' && act.constraint.name === validated.name && isSameName(act.table, validated.table),
  );

export const uniqueByIndex: Rule = {
  id: 'unique-by-index',
  severity: 'error',
  title: 'Uniqueness of a table in use comes from an index built CONCURRENTLY.',
  hint: 'CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX.',
  find: eachAct((act, plan, { at }) => {
    const isUnique =
      (act.kind === 'add_column' && (act.column.isUnique || act.column.isKey)) ||
      (act.kind === 'add_constraint' && ['unique', 'primary_key'].includes(act.constraint.kind) && !act.constraint.usesIndex);
    if (!isUnique || !plan.isLive(act.table, at)) return undefined;
    return `Builds an index over ${plan.place(act.table)} under ACCESS EXCLUSIVE.`;
  }),
};

export const exclusionLive: Rule = {
  id: 'exclusion-live',
  severity: 'error',
  title: 'No exclusion constraint is added to a table in use.',
  hint: 'Make a new table with the constraint and move the rows, or check it by trigger.',
  find: eachAct((act, plan, { at }) => {
    if (act.kind !== 'add_constraint' || act.constraint.kind !== 'exclude' || !plan.isLive(act.table, at)) return undefined;
    return `An exclusion constraint cannot be built concurrently nor come up NOT VALID: it reads all of ${plan.place(act.table)} under ACCESS EXCLUSIVE.`;
  }),
};

export const notNullProof: Rule = {
  id: 'not-null-proof',
  severity: 'error',
  title: 'NOT NULL follows a validated check that proves it; the check goes in a later statement.',
  hint: 'CHECK (... IS NOT NULL) NOT VALID, VALIDATE in a long step, SET NOT NULL, then, as another statement, DROP CONSTRAINT.',
  find: eachAct((act, plan, placed) => {
    const { at } = placed;
    const column = requiredColumn(act);
    if (column === undefined || !plan.isLive(column.table, at)) return undefined;
    if (plan.facts.tables.get(nameText(column.table))?.rows === 0 || isProved(column.table, column.name, placed, plan)) return undefined;
    return `Nothing proves that "${column.name}" holds no null, so Postgres reads all of ${plan.place(column.table)} under ACCESS EXCLUSIVE.`;
  }),
};

function requiredColumn(act: Act): { readonly table: ObjectName; readonly name: string } | undefined {
  if (act.kind === 'set_not_null') return { table: act.table, name: act.column };
  if (act.kind !== 'add_constraint' || act.constraint.kind !== 'not_null' || act.constraint.isNotValid) return undefined;
  return { table: act.table, name: act.constraint.columns[0] ?? '' };
}

/** A check of the plan that was validated before, and that neither an earlier statement nor this one drops. */
export function isProved(
  table: ObjectName,
  column: string,
  place: { readonly at: number; readonly statement: number },
  plan: PlanText,
): boolean {
  const checks = plan
    .all('add_constraint', place.at)
    .filter(({ act }) => isSameName(act.table, table) && act.constraint.proves.includes(column));
  return checks.some(({ act: { constraint } }) => {
    const isDropped = plan
      .all('drop_constraint')
      .some(
        ({ act, at, statement }) =>
          act.name === constraint.name && isSameName(act.table, table) && (at < place.at || statement === place.statement),
      );
    const isValidated = plan
      .all('validate_constraint', place.at)
      .some(({ act }) => act.name === constraint.name && isSameName(act.table, table));
    return !isDropped && (isValidated || !constraint.isNotValid);
  });
}

export const requiredColumnFilled: Rule = {
  id: 'required-column',
  severity: 'error',
  title: 'A required column is not added to a table in use without a default.',
  hint: 'Give it a constant default, or add it nullable, fill it, and set NOT NULL after the switch.',
  find: eachAct((act, plan, { at }) => {
    if (act.kind !== 'add_column' || !plan.isLive(act.table, at)) return undefined;
    const { column } = act;
    const isFilled = column.isIdentity || column.isStored || /serial/.test(column.type) || isValue(column.default);
    if (!(column.isRequired || column.isKey) || isFilled) return undefined;
    return `"${column.name}" is NOT NULL and has no default: the stored rows of ${plan.place(act.table)} refuse it, and clients that do not know it cannot write (ACCESS EXCLUSIVE).`;
  }),
};

const isValue = (tokens: readonly { readonly text: string; readonly kind: string }[] | undefined): boolean =>
  tokens !== undefined && !(tokens[0]?.kind === 'word' && tokens[0].text === 'null');
