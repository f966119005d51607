/** A world of processes with mail, and the people that approvals are about. */
import { randomUUID } from 'node:crypto';
import { cancelRun } from '../../operations/processes/operate.ts';
import type { Actor } from '../../operations/context.ts';
import { getRun, type RunAnswer } from '../../operations/processes/runs.ts';
import { startRun } from '../../operations/processes/start.ts';
import { startSmtp, type Smtp } from '../support/smtp.ts';
import { processWorld, type ProcessWorld } from './process-world.ts';

export interface ApprovalWorld extends ProcessWorld {
  readonly smtp: Smtp;
  /** A user of that name with roles; the address is `<name>@example.com`. */
  person(name: string, ...roles: string[]): Promise<Actor>;
  /** A run of the definition, with its first task open; by `by`, or the operator. */
  begin(definition: string, by?: Actor, context?: Record<string, unknown>): Promise<RunAnswer>;
  get(run: RunAnswer, as?: Actor): Promise<RunAnswer>;
  /** The run once `done` holds for it. */
  untilRun(run: RunAnswer, done: (run: RunAnswer) => boolean, timeoutMs?: number): Promise<RunAnswer>;
  /** The mails to a person, once there are so many. */
  mailsTo(actor: Actor, count: number): Promise<string[]>;
  away(actor: Actor, substitute: Actor, fromMs?: number, untilMs?: number): Promise<void>;
  end(run: RunAnswer): Promise<RunAnswer>;
}

export const manual = (name: string, ...steps: Record<string, unknown>[]) => ({
  id: name,
  name,
  trigger: { type: 'manual', entity: 'ticket' },
  steps: steps.map((step, index) => ({ id: `step${index}`, type: 'approval', ...step })),
});

/** What happened, in the order of the history. */
export const story = (run: RunAnswer): string[] => run.history.map(({ step, status }) => `${step}:${status}`);

/** `more` and `env` as for a world of processes. */
export async function approvalWorld(
  workflows: readonly unknown[],
  more: object = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ApprovalWorld> {
  const smtp = await startSmtp();
  const world = await processWorld(workflows, more, { SMTP_URL: smtp.url, MAIL_FROM: 'desk@example.com', ...env });
  const until = async <T>(read: () => Promise<T>, done: (value: T) => boolean, timeoutMs = 20_000): Promise<T> => {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const value = await read();
      if (done(value)) return value;
      if (Date.now() > end) throw new Error(`not reached in ${timeoutMs} ms; it is ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const get = (run: RunAnswer, as?: Actor): Promise<RunAnswer> => getRun(as === undefined ? world.admin : world.as(as), run.id);
  const untilRun: ApprovalWorld['untilRun'] = (run, done, timeoutMs) => until(() => get(run), done, timeoutMs);
  return Object.assign(world, {
    smtp,
    get,
    untilRun,
    person: (name: string, ...roles: string[]) => world.user(`${name}@example.com`, roles),
    async begin(definition: string, by?: Actor, context: Record<string, unknown> = {}) {
      const ctx = { ...(by === undefined ? world.admin : world.as(by)), requestId: randomUUID() };
      const ticket = by === undefined ? await world.ticket({ title: 'A <new> printer', status: 'asked' }) : undefined;
      const body = { context, ...(ticket === undefined ? {} : { record_id: ticket }) };
      return untilRun(await startRun(ctx, definition, body), (run) => run.task !== null);
    },
    async mailsTo(actor: Actor, count: number) {
      const found = (): string[] => smtp.mails.filter((mail) => mail.to.includes(actor.email ?? '')).map((mail) => mail.text);
      return until(() => Promise.resolve(found()), (mails) => mails.length >= count, 30_000); // prettier-ignore
    },
    async away(actor: Actor, substitute: Actor, fromMs = -60_000, untilMs = 3_600_000) {
      await world.services.pool.query(
        `insert into ${world.app.storage}._absences (id, user_id, substitute, starts_at, ends_at, created_by) values ($1, $2, $3, $4, $5, '{}')`,
        [randomUUID(), actor.id, substitute.id, new Date(Date.now() + fromMs), new Date(Date.now() + untilMs)],
      );
    },
    end: (run: RunAnswer) => cancelRun(world.admin, run.id),
  });
}
