/** Keeps one child running: restarted after 0.2 s, doubling to 5 s; five deaths within a minute are too many. */
import { sleep } from './system.ts';

export interface RunningService {
  readonly pid: number;
  /** Settles when the process has ended, with why if that is known. A final reason is one a restart cannot cure. */
  readonly ended: Promise<{ readonly isFinal: boolean; readonly why: string }>;
  stop(): Promise<void>;
}

export interface ServiceDefinition {
  readonly name: string;
  start(): Promise<RunningService>;
  /** The last lines of its log. */
  lastLines(): string;
}

export interface ServiceEvents {
  readonly up: (name: string, running: RunningService) => void;
  readonly down: (name: string, why: string, retryMs: number) => void;
  readonly gaveUp: (name: string, reason: string) => void;
}

export interface KeptService {
  readonly name: string;
  stop(): Promise<void>;
}

const MOST_DEATHS = 5;
const WINDOW_MS = 60_000;

/** Starts it (failing when the first start fails), then restarts it whenever it ends, until stopped. */
export async function keepRunning(definition: ServiceDefinition, events: ServiceEvents): Promise<KeptService> {
  let isStopping = false;
  let deaths: number[] = [];
  let current: RunningService | undefined;
  let restarting: Promise<void> = Promise.resolve();

  const watch = (running: RunningService): void => {
    current = running;
    events.up(definition.name, running);
    void running.ended.then(({ isFinal, why }) => {
      if (isStopping || current !== running) return;
      current = undefined;
      if (isFinal) events.gaveUp(definition.name, why);
      else restarting = revive(why);
    });
  };

  const revive = async (firstReason: string): Promise<void> => {
    for (let why = firstReason; !isStopping;) {
      deaths = [...deaths.filter((at) => Date.now() - at < WINDOW_MS), Date.now()];
      if (deaths.length >= MOST_DEATHS) {
        events.gaveUp(
          definition.name,
          `it ended ${MOST_DEATHS} times within a minute (${why}). Its last lines:\n${definition.lastLines()}`,
        );
        return;
      }
      const retryMs = Math.min(5000, 200 * 2 ** (deaths.length - 1));
      events.down(definition.name, why, retryMs);
      await sleep(retryMs);
      if (isStopping) return;
      try {
        const running = await definition.start();
        if (isStopping) await running.stop();
        else watch(running);
        return;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
    }
  };

  watch(await definition.start());
  return {
    name: definition.name,
    async stop() {
      isStopping = true;
      await Promise.race([restarting, sleep(6000)]);
      await current?.stop();
    },
  };
}
