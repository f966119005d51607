/** An SLA's conditions and target, ready to be asked about events. */
import { LONGEST_MS } from '../calendar/calendar.ts';
import { durationMs } from '../duration.ts';
import { isAppError } from '../errors.ts';
import { type CompiledExpression, compileExpression, isTrue } from '../expression/expression.ts';
import { durationText, type SlaDefinition } from '../model/document.ts';

type Row = Readonly<Record<string, unknown>>;

/** One change of the record a clock is about. */
export interface ClockEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly version: number;
  readonly seq: string;
  readonly action: 'create' | 'update' | 'delete' | 'restore';
  /** The whole record after the change; null after a deletion. */
  readonly record: Row | null;
  /** The whole record before it; null when there was none. */
  readonly before: Row | null;
  /** Both under the names of today, where the event was written under others. */
  readonly today?: { readonly record: Row | null; readonly before: Row | null };
}

export type Condition = 'start' | 'pause' | 'resume' | 'stop' | 'reset';

export interface ClockRule {
  readonly definition: SlaDefinition;
  /** Whether the condition holds after the event; an absent one never does. */
  holds(condition: Condition, event: ClockEvent): boolean;
  /** Whether it holds after the event and did not before; one that reads `old` says itself what a change is. */
  begins(condition: Condition, event: ClockEvent): boolean;
  /** Whether a clock that does not run starts with this event. */
  starts(event: ClockEvent): boolean;
  /** Whether the event can mean anything to a running clock. */
  concerns(event: ClockEvent): boolean;
  /** Milliseconds to the due time as the record is after the event; null when the definition gives none for it. */
  targetMs(event: ClockEvent): number | null;
}

type Holds = (event: ClockEvent) => boolean;

export function compileRule(definition: SlaDefinition): ClockRule {
  const texts: Record<Condition, string | undefined> = {
    start: definition.start,
    pause: definition.pause,
    resume: definition.resume,
    stop: definition.stop,
    reset: definition.reset,
  };
  const compiled = Object.fromEntries(
    Object.entries(texts).map(([condition, text]) => [condition, text === undefined ? undefined : compileCondition(text)]),
  ) as Record<Condition, ReturnType<typeof compileCondition> | undefined>;
  const holds = (condition: Condition, event: ClockEvent): boolean => compiled[condition]?.holds(event) ?? false;
  const wants: Holds = (event) => holds('start', event) && !holds('stop', event);
  const targets = targetsOf(definition);
  const read = fieldsRead(definition);
  return {
    definition,
    holds,
    begins: (condition, event) => holds(condition, event) && (compiled[condition]?.readsOld === true || !holds(condition, earlier(event))),
    starts: (event) =>
      event.record !== null && wants(event) && (event.before === null || compiled.start?.readsOld === true || !wants(earlier(event))),
    concerns: (event) => event.action !== 'update' || read === 'all' || changedFields(event).some((field) => read.has(field)),
    targetMs: (event) => targets.find(({ when }) => when?.(event) ?? true)?.target(event) ?? null,
  };
}

/** The event under the names of today. */
export const asToday = (event: ClockEvent): ClockEvent => (event.today === undefined ? event : { ...event, ...event.today });

/** A definition of today, asked about events that may be older than its names. */
export const ofToday = (rule: ClockRule): ClockRule => ({
  definition: rule.definition,
  holds: (condition, event) => rule.holds(condition, asToday(event)),
  begins: (condition, event) => rule.begins(condition, asToday(event)),
  starts: (event) => rule.starts(asToday(event)),
  concerns: (event) => rule.concerns(asToday(event)),
  targetMs: (event) => rule.targetMs(asToday(event)),
});

/** The same record before the event, as if nothing had happened: what is asked of it is whether a condition held already. */
const earlier = (event: ClockEvent): ClockEvent => ({ ...event, record: event.before });

function compileCondition(text: string): { readonly holds: Holds; readonly readsOld: boolean } {
  const expression = compileExpression(text);
  return {
    holds: (event) => event.record !== null && isTrue(valueOf(expression, event)),
    readsOld: expression.roots.has('old'),
  };
}

/** Null where a record is such that nothing can be worked out of it: one record must hold up neither the relay nor its own clock. */
function valueOf(expression: CompiledExpression, { record, before, action, at }: ClockEvent): unknown {
  try {
    return expression.evaluate({ record, old: before, action, now: new Date(at).toISOString() });
  } catch (error) {
    if (isAppError(error)) return null;
    throw error;
  }
}

interface Target {
  readonly when: Holds | undefined;
  readonly target: (event: ClockEvent) => number | null;
}

function targetsOf({ target, targets }: SlaDefinition): Target[] {
  return [
    ...targets.map((one) => ({ when: compileCondition(one.when).holds, target: readTarget(one.target) })),
    ...(target === undefined ? [] : [{ when: undefined, target: readTarget(target) }]),
  ];
}

function readTarget(text: string): Target['target'] {
  if (durationText.test(text)) {
    const ms = boundedMs(text);
    return () => ms;
  }
  const expression = compileExpression(text);
  return (event) => {
    const found = valueOf(expression, event);
    return typeof found === 'string' && durationText.test(found) ? boundedMs(found) : null;
  };
}

/** Whoever has longer than anybody waits has no due time. */
function boundedMs(text: string): number | null {
  const ms = durationMs(text);
  return ms > LONGEST_MS ? null : ms;
}

/** The fields the definition looks at; `all` when it looks at the record as a whole. */
function fieldsRead(definition: SlaDefinition): ReadonlySet<string> | 'all' {
  const texts = [definition.start, definition.pause, definition.resume, definition.stop, definition.reset];
  const targets = [...definition.targets.flatMap(({ when, target }) => [when, target]), definition.target];
  const fields = new Set<string>();
  for (const text of [...texts, ...targets]) {
    if (text === undefined || durationText.test(text)) continue;
    const { paths } = compileExpression(text);
    if (paths.some(({ root }) => root !== 'record')) return 'all';
    for (const { path } of paths) {
      if (path[0] === undefined) return 'all';
      fields.add(path[0]);
    }
  }
  return fields;
}

function changedFields({ record, before }: ClockEvent): string[] {
  if (record === null || before === null) return [];
  return Object.keys(record).filter((field) => JSON.stringify(record[field]) !== JSON.stringify(before[field]));
}
