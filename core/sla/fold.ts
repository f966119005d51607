/**
 * A clock is what its events say under a definition, as of a time: the same fold for the first look, for a record that
 * changed, and for a calendar that changed. All instants lie on one axis, the time that has counted so far: a warning, the breach
 * and each escalation are *marks* on it, so that a pause moves all of them alike.
 *
 * Vocabulary: a *piece* is a stretch of time that counts; an *era* is the time under one form of the definition; the *origin* is
 * the event the clock counts from, its start or the last reset.
 */
import type { BusinessCalendar } from '../calendar/calendar.ts';
import { durationMs } from '../duration.ts';
import type { ClockEvent, ClockRule } from './rule.ts';

export interface Era {
  /** From this instant on; null from the start. */
  readonly since: number | null;
  readonly rule: ClockRule;
  readonly calendar: BusinessCalendar;
}

export type ClockStatus = 'idle' | 'running' | 'paused' | 'met' | 'breached' | 'cancelled';

export interface Mark {
  /** What fires once: the mark, and how many resets came before it. */
  readonly key: string;
  readonly kind: 'warn' | 'breach' | 'escalate';
  /** The text of the definition that made it: `50%`, `30m`; empty for the breach. */
  readonly label: string;
  readonly at: number;
}

export interface HistoryEntry {
  readonly at: number;
  readonly what: 'started' | 'paused' | 'resumed' | 'reset' | 'stopped' | 'cancelled' | 'warned' | 'breached' | 'escalated';
  readonly label?: string;
  readonly version?: number;
}

export interface ClockState {
  readonly state: ClockStatus;
  readonly started_at: number | null;
  readonly is_paused: boolean;
  readonly elapsed_ms: number;
  readonly target_ms: number | null;
  readonly remaining_ms: number | null;
  readonly due_at: number | null;
  readonly breached_at: number | null;
  readonly stopped_at: number | null;
  readonly stopped_version: number | null;
  readonly warned: readonly string[];
  /** Reached so far, in order. */
  readonly marks: readonly Mark[];
  /** When the next mark is reached if nothing happens; null when none will be. */
  readonly next_at: number | null;
  readonly history: readonly HistoryEntry[];
  /** The event behind the end that starts a clock of its own. */
  readonly restart: ClockEvent | undefined;
}

const IDLE: ClockState = {
  state: 'idle',
  started_at: null,
  is_paused: false,
  elapsed_ms: 0,
  target_ms: null,
  remaining_ms: null,
  due_at: null,
  breached_at: null,
  stopped_at: null,
  stopped_version: null,
  warned: [],
  marks: [],
  next_at: null,
  history: [],
  restart: undefined,
};

/** The clock that starts with the first of `events`, which are those of its record by version. */
export function fold(events: readonly ClockEvent[], eras: readonly Era[], asOf: number): ClockState {
  const [start] = events;
  if (start === undefined) return IDLE;
  const course = follow(start, events.slice(1), eras);
  // Clocks of two machines differ a little: nothing is judged as of a time before what has happened.
  return judge(course, eras, Math.max(asOf, course.lastAt));
}

const eraAt = (eras: readonly Era[], at: number): Era | undefined => eras.findLast(({ since }) => since === null || since <= at);

// --- what the events say ---------------------------------------------------------------------------------------------

interface Piece {
  readonly from: number;
  /** Null while it still counts. */
  readonly to: number | null;
}

interface Course {
  readonly startedAt: number;
  pieces: Piece[];
  origin: number;
  resets: number;
  pausedAt: number | null;
  end: { readonly kind: 'stopped' | 'cancelled'; readonly at: number; readonly version: number } | undefined;
  /** The record as it was last, for the target. */
  latest: ClockEvent;
  lastAt: number;
  readonly history: HistoryEntry[];
  restart: ClockEvent | undefined;
}

function follow(start: ClockEvent, later: readonly ClockEvent[], eras: readonly Era[]): Course {
  const course: Course = {
    startedAt: start.at,
    pieces: [{ from: start.at, to: null }],
    origin: start.at,
    resets: 0,
    pausedAt: null,
    end: undefined,
    latest: start,
    lastAt: start.at,
    history: [{ at: start.at, what: 'started', version: start.version }],
    restart: undefined,
  };
  pauseOrResume(course, start, eras, start.at);
  for (const event of later) {
    // The log's times are those of transactions: one that began earlier may have come later.
    const at = Math.max(event.at, course.lastAt);
    course.lastAt = at;
    if (course.end === undefined) take(course, event, eras, at);
    else if (eraAt(eras, at)?.rule.starts(event) === true) {
      course.restart = event;
      break;
    }
  }
  return course;
}

function take(course: Course, event: ClockEvent, eras: readonly Era[], at: number): void {
  const rule = eraAt(eras, at)?.rule;
  if (event.record === null) {
    end(course, 'cancelled', event, at);
    return;
  }
  course.latest = event;
  if (rule?.holds('stop', event) === true) {
    end(course, 'stopped', event, at);
    return;
  }
  if (rule?.begins('reset', event) === true) {
    course.pieces = course.pausedAt === null ? [{ from: at, to: null }] : [];
    course.origin = at;
    course.resets++;
    course.history.push({ at, what: 'reset', version: event.version });
  }
  pauseOrResume(course, event, eras, at);
}

function pauseOrResume(course: Course, event: ClockEvent, eras: readonly Era[], at: number): void {
  const rule = eraAt(eras, at)?.rule;
  if (rule === undefined) return;
  if (course.pausedAt === null) {
    if (!rule.holds('pause', event)) return;
    course.pausedAt = at;
    closePiece(course, at);
    course.history.push({ at, what: 'paused', version: event.version });
    return;
  }
  const isOver = rule.definition.resume === undefined ? !rule.holds('pause', event) : rule.holds('resume', event);
  if (!isOver) return;
  course.pausedAt = null;
  course.pieces.push({ from: at, to: null });
  course.history.push({ at, what: 'resumed', version: event.version });
}

function end(course: Course, kind: 'stopped' | 'cancelled', event: ClockEvent, at: number): void {
  closePiece(course, at);
  course.end = { kind, at, version: event.version };
  course.history.push({ at, what: kind, version: event.version });
}

function closePiece(course: Course, at: number): void {
  const last = course.pieces.at(-1);
  if (last !== undefined && last.to === null) course.pieces[course.pieces.length - 1] = { from: last.from, to: at };
}

// --- what that comes to ----------------------------------------------------------------------------------------------

interface Counted extends Piece {
  readonly calendar: BusinessCalendar;
}

/** Pieces cut where the definition changed, each with the calendar of its time. */
function countedPieces(pieces: readonly Piece[], eras: readonly Era[]): Counted[] {
  return pieces.flatMap(({ from, to }) =>
    eras.flatMap((era, index): Counted[] => {
      const begin = Math.max(from, era.since ?? from);
      const next = eras[index + 1]?.since ?? null;
      const finish = to === null ? next : next === null ? to : Math.min(to, next);
      return finish !== null && finish <= begin ? [] : [{ from: begin, to: finish, calendar: era.calendar }];
    }),
  );
}

/** When `ms` have counted; undefined when they never will. */
function instantOf(pieces: readonly Counted[], ms: number): number | undefined {
  let left = ms;
  for (const { from, to, calendar } of pieces) {
    if (to === null) return calendar.add(from, left);
    const length = calendar.between(from, to);
    if (length >= left) return calendar.add(from, left);
    left -= length;
  }
  return undefined;
}

const elapsedAt = (pieces: readonly Counted[], at: number): number =>
  pieces.reduce((sum, { from, to, calendar }) => sum + calendar.between(from, Math.min(to ?? at, at)), 0);

function judge(course: Course, eras: readonly Era[], asOf: number): ClockState {
  const pieces = countedPieces(course.pieces, eras);
  const targetMs = eraAt(eras, course.origin)?.rule.targetMs(course.latest) ?? null;
  const until = course.end?.at ?? Infinity;
  const all = targetMs === null ? [] : marksOf(course, eras, pieces, targetMs);
  // What is due at the very moment of the end was kept; a running clock is late from its due time on.
  const reached = all.filter(({ at }) => at <= asOf && at < until);
  const breach = reached.find(({ kind }) => kind === 'breach');
  const elapsed = elapsedAt(pieces, Math.min(asOf, until));
  const isOpen = course.end === undefined;
  // Of a clock that was stopped while it ran: when it would have been due.
  const unstopped = isOpen || course.pausedAt !== null ? pieces : countedPieces(reopened(course.pieces), eras);
  const due = targetMs === null ? undefined : instantOf(unstopped, targetMs);
  return {
    state: statusOf(course, breach !== undefined),
    started_at: course.startedAt,
    is_paused: isOpen && course.pausedAt !== null,
    elapsed_ms: elapsed,
    target_ms: targetMs,
    remaining_ms: targetMs === null ? null : targetMs - elapsed,
    due_at: due ?? null,
    breached_at: breach?.at ?? null,
    stopped_at: course.end?.at ?? null,
    stopped_version: course.end?.version ?? null,
    warned: reached.filter(({ kind }) => kind === 'warn').map(({ label }) => label),
    marks: reached,
    next_at: isOpen ? (all.find(({ at }) => at > asOf)?.at ?? null) : null,
    history: [...course.history, ...reached.map(toEntry)].sort((a, b) => a.at - b.at),
    restart: course.restart,
  };
}

const reopened = (pieces: readonly Piece[]): Piece[] =>
  pieces.map((piece, index) => (index === pieces.length - 1 ? { from: piece.from, to: null } : piece));

function statusOf({ end, pausedAt }: Course, isBreached: boolean): ClockStatus {
  if (end?.kind === 'cancelled') return 'cancelled';
  if (isBreached) return 'breached';
  if (end !== undefined) return 'met';
  return pausedAt === null ? 'running' : 'paused';
}

const WORDS = { warn: 'warned', breach: 'breached', escalate: 'escalated' } as const;
const toEntry = ({ at, kind, label }: Mark): HistoryEntry => ({ at, what: WORDS[kind], ...(label === '' ? {} : { label }) });

const RANK = { warn: 0, breach: 1, escalate: 2 } as const;

/** Every mark the clock comes to, if nothing happens any more; in order. */
function marksOf(course: Course, eras: readonly Era[], pieces: readonly Counted[], targetMs: number): Mark[] {
  const definition = eras.at(-1)?.rule.definition;
  if (definition === undefined) return [];
  const places: (Pick<Mark, 'kind' | 'label'> & { readonly ms: number })[] = [
    ...definition.warn_at.map((label) => ({ kind: 'warn' as const, label, ms: warnMs(label, targetMs) })),
    { kind: 'breach', label: '', ms: targetMs },
    ...definition.escalate.map(({ after }) => ({ kind: 'escalate' as const, label: after, ms: targetMs + durationMs(after) })),
  ];
  return places
    .sort((a, b) => a.ms - b.ms || RANK[a.kind] - RANK[b.kind])
    .flatMap(({ kind, label, ms }): Mark[] => {
      const at = instantOf(pieces, ms);
      return at === undefined ? [] : [{ key: [course.resets, kind, ...(label === '' ? [] : [label])].join(':'), kind, label, at }];
    });
}

/** `50%` of the target, or `30m` before it. */
const warnMs = (label: string, targetMs: number): number =>
  label.endsWith('%') ? Math.round((targetMs * Number(label.slice(0, -1))) / 100) : Math.max(0, targetMs - durationMs(label));
