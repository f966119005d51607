/**
 * The forms of an app's SLAs: a definition with its calendar, named by its content. A clock says by these names under what it
 * counts, so a change is seen by comparing two names, and what it counted under stays readable after any number of publishes.
 */
import { digestOf } from '../../adapters/digest.ts';
import { type Db, execute, run } from '../../adapters/postgres/run.ts';
import { ALWAYS_OPEN, compileCalendar, type BusinessCalendar } from '../../core/calendar/calendar.ts';
import type { CalendarDefinition, SlaDefinition } from '../../core/model/document.ts';
import { canonicalJson } from '../../core/model/identity.ts';
import type { Era } from '../../core/sla/fold.ts';
import { compileRule, ofToday, type ClockRule } from '../../core/sla/rule.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';

export interface Form {
  /** The definition's id. */
  readonly key: string;
  readonly hash: string;
  readonly sla: SlaDefinition;
  readonly calendarDefinition: CalendarDefinition | null;
  readonly rule: ClockRule;
  readonly calendar: BusinessCalendar;
}

export interface Forms {
  readonly byKey: ReadonlyMap<string, Form>;
  readonly byEntity: ReadonlyMap<string, readonly Form[]>;
}

/** Those that are active, compiled once per version. */
export const formsOf = (app: AppRuntime): Forms => app.memo(formsOf, build);

function build({ model }: AppRuntime): Forms {
  const { slas, calendars } = model.document;
  const forms = slas
    .filter(({ active }) => active)
    .map((sla) => makeForm(sla, calendars.find(({ name }) => name === sla.calendar) ?? null));
  const byEntity = new Map<string, Form[]>();
  for (const form of forms) byEntity.set(form.sla.entity, [...(byEntity.get(form.sla.entity) ?? []), form]);
  return { byKey: new Map(forms.map((form) => [form.key, form])), byEntity };
}

/** What a definition is called, and whether it looks back, changes nothing of how clocks count. */
export function makeForm(sla: SlaDefinition, calendar: CalendarDefinition | null): Form {
  return {
    key: sla.id ?? sla.name,
    hash: digestOf(canonicalJson([counting(sla), calendar === null ? null : counting(calendar)])),
    sla,
    calendarDefinition: calendar,
    rule: ofToday(compileRule(sla)),
    calendar: calendar === null ? ALWAYS_OPEN : compileCalendar(calendar),
  };
}

const NAMES_ONLY = ['id', 'name', 'description', 'retroactive', 'calendar'];

const counting = (definition: SlaDefinition | CalendarDefinition): object =>
  Object.fromEntries(Object.entries(definition).filter(([key]) => !NAMES_ONLY.includes(key)));

/** Keeps forms that clocks refer to. */
export async function saveForms(db: Db, storage: string, forms: readonly Form[]): Promise<void> {
  for (const { hash, sla, calendarDefinition } of new Map(forms.map((form) => [form.hash, form])).values()) {
    await execute(
      db,
      sql`insert into ${id(storage, '_sla_forms')} (hash, sla, calendar)
          values (${value(hash)}, ${value(JSON.stringify(sla), 'jsonb')}, ${value(calendarDefinition === null ? null : JSON.stringify(calendarDefinition), 'jsonb')})
          on conflict (hash) do nothing`,
      { prepared: true },
    );
  }
}

/** An era as a row keeps it. */
export interface EraRef {
  /** ISO time; null from the clock's start. */
  readonly since: string | null;
  readonly form: string;
}

interface FormRow {
  readonly hash: string;
  readonly sla: SlaDefinition;
  readonly calendar: CalendarDefinition | null;
}

/** The eras of a clock, with the forms of today from memory and those of before from the table. */
export async function readEras(db: Db, app: AppRuntime, refs: readonly EraRef[]): Promise<Era[]> {
  const known = new Map([...formsOf(app).byKey.values()].map((form) => [form.hash, form]));
  const missing = refs.map(({ form }) => form).filter((hash) => !known.has(hash));
  for (const form of await readForms(db, app.storage, missing)) known.set(form.hash, form);
  return refs.flatMap(({ since, form: hash }): Era[] => {
    const form = known.get(hash);
    return form === undefined ? [] : [{ since: since === null ? null : Date.parse(since), rule: form.rule, calendar: form.calendar }];
  });
}

async function readForms(db: Db, storage: string, hashes: readonly string[]): Promise<Form[]> {
  if (hashes.length === 0) return [];
  const rows = await run<FormRow>(
    db,
    sql`select hash, sla, calendar from ${id(storage, '_sla_forms')} where hash = any(${value([...new Set(hashes)], 'text[]')})`,
    { prepared: true },
  );
  // One of before speaks of events as they were written in its time.
  return rows.map(({ hash, sla, calendar }) => ({ ...makeForm(sla, calendar), hash, rule: compileRule(sla) }));
}

/** The form a clock counts under now. */
export async function readForm(db: Db, app: AppRuntime, hash: string): Promise<Form | undefined> {
  const known = [...formsOf(app).byKey.values()].find((form) => form.hash === hash);
  return known ?? (await readForms(db, app.storage, [hash]))[0];
}
