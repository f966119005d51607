/** Deliveries and replays, as the API answers them. */
import type { Tone } from '../../ui/Status.tsx';

export const STATUSES = ['pending', 'retrying', 'delivered', 'dead'] as const;
export type DeliveryStatus = (typeof STATUSES)[number];

export interface Attempt {
  readonly number: number;
  readonly at: string;
  readonly status: number | null;
  readonly latency_ms: number | null;
  readonly error: string | null;
  readonly response: string | null;
}

export interface Delivery {
  readonly id: string;
  readonly webhook: string;
  readonly event_id: string;
  readonly entity: string;
  readonly record_id: string;
  readonly status: DeliveryStatus;
  readonly reason: string | null;
  /** How often it was replayed. */
  readonly round: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly next_attempt_at: string | null;
  readonly attempts: readonly Attempt[];
}

export interface WholeDelivery extends Delivery {
  readonly body: Readonly<Record<string, unknown>>;
}

export const TONES: Readonly<Record<DeliveryStatus, Tone>> = { pending: 'waiting', retrying: 'warning', delivered: 'done', dead: 'failed' };

export const hasEnded = ({ status }: Delivery): boolean => status === 'delivered' || status === 'dead';

/** A test and what a workflow sends stand for no event of the log: their numbers are below zero. */
export const isOfEvent = ({ event_id: event }: Delivery): boolean => !event.startsWith('-');

export interface Replay {
  readonly id: string;
  readonly webhook: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly status: Replayable;
  readonly state: 'running' | 'done' | 'stopped';
  readonly replayed: number;
  readonly waiting: number;
  readonly delivered: number;
  readonly dead: number;
  readonly created_at: string;
}

export const REPLAYABLE = ['dead', 'delivered'] as const;
export type Replayable = (typeof REPLAYABLE)[number];

/** Something of it is still to come. */
export const isMoving = ({ state, waiting }: Replay): boolean => state === 'running' || waiting > 0;

/** A time of the address as the input for one writes it: in the browser's zone, to the minute. */
export function localOf(iso: string | null): string {
  if (iso === null || Number.isNaN(Date.parse(iso))) return '';
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export const isoOf = (local: string): string => (local === '' ? '' : new Date(local).toISOString());
