/** Side effects of clocks: thin, each one idempotent by clock, revision or effect key; the work is in operations/slas. */
import { AppError } from '../core/errors.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import { assessClock } from '../operations/slas/assess.ts';
import { noteFired, performMarkAction, type MarkAction } from '../operations/slas/fire.ts';
import type { ClockInput, ClockLook, ClockMark } from '../workflows/contracts/types.ts';
import { whileAlive } from './while-alive.ts';

export interface ClockActivities {
  /** Reads what happened, works the clock out as of `now`, and shows it. */
  assessClock(input: ClockInput & { readonly now: string }): Promise<ClockLook>;
  performClockAction(input: ClockInput & MarkAction): Promise<void>;
  /** The mark never fires again; `error` is shown where its actions failed for good. */
  noteClockMark(input: ClockInput & { readonly mark: ClockMark; readonly now: string; readonly error: string | null }): Promise<void>;
}

/** The activities of the `clock` workflow. */
export function createClockActivities(services: Services): ClockActivities {
  const appOf = async (app: string): Promise<AppRuntime> => {
    const runtime = await services.registry.byId(app);
    if (runtime === undefined) throw new AppError('APP_NOT_FOUND', `The app ${app} does not exist any more.`);
    return runtime;
  };
  return {
    assessClock: async (input) => assessClock(services, await appOf(input.app), input.clockId, new Date(input.now)),
    performClockAction: async (input) => whileAlive(async () => performMarkAction(services, await appOf(input.app), input.clockId, input)),
    noteClockMark: async (input) => noteFired(services, await appOf(input.app), input.clockId, input),
  };
}
