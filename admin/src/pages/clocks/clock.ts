import type { Tone } from '../../ui/Status.tsx';

export type ClockState = 'running' | 'paused' | 'met' | 'breached' | 'cancelled';

/** One measurement of an SLA, as `_slas` shows it. */
export interface Clock {
  readonly id: string;
  readonly sla: string;
  readonly entity: string;
  readonly record_id: string;
  readonly state: ClockState;
  readonly is_paused: boolean;
  readonly due_at: string | null;
  readonly remaining_ms: number | null;
  readonly percent: number | null;
}

export const CLOCK_TONES: Readonly<Record<ClockState, Tone>> = {
  running: 'running',
  paused: 'paused',
  met: 'done',
  breached: 'failed',
  cancelled: 'off',
};

/** A clock that stands still outside of working hours or on hold is shown as paused. */
export const shownState = ({ state, is_paused: isPaused }: Clock): ClockState => (isPaused && state === 'running' ? 'paused' : state);
