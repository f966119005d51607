/** Watching a migration from the console: its steps as they finish, until there is nothing more to wait for. */
import { setTimeout as pause } from 'node:timers/promises';
import type { MigrationView } from '../operations/schemas/migrations.ts';
import { Refused, Unreachable, type Session } from './http.ts';
import type { Paper } from './text/paper.ts';

const LOOK_MS = 300;
/** An api that is being restarted is no reason to stop watching. */
const AWAY_MS = 60_000;

/** Exit code of a migration that goes on only when somebody says so. */
export const EXIT_WAITS = 3;

export interface Followed {
  readonly migration: MigrationView;
  readonly exitCode: number;
}

/** `say` gets each line as soon as it is true. */
export async function followMigration(
  session: Session,
  first: MigrationView,
  paper: Paper,
  say: (line: string) => void,
): Promise<Followed> {
  const told = new Set<number>();
  for (let migration = first; ; migration = await look(session, first.id)) {
    migration.steps.forEach((step, index) => {
      if (step.state !== 'done' || told.has(index)) return;
      told.add(index);
      say(stepLine(step, told.size, migration.steps.length, paper));
    });
    const exitCode = exitCodeOf(migration);
    if (exitCode !== undefined) return { migration, exitCode };
    await pause(LOOK_MS);
  }
}

/** Undefined while there is something to wait for. */
function exitCodeOf({ status, phase }: MigrationView): number | undefined {
  switch (status) {
    case 'completed':
      return 0;
    case 'failed':
    case 'aborted':
      return 1;
    case 'awaiting_approval':
    case 'paused':
      return EXIT_WAITS;
    default:
      // Switched, and holding what it replaced for as long as the grace period is: nobody waits for that at a console.
      return status === 'ready' && phase !== 'switch' ? 0 : undefined;
  }
}

async function look(session: Session, id: string): Promise<MigrationView> {
  const until = Date.now() + AWAY_MS;
  for (;;) {
    try {
      const answer = await session.request('GET', `/api/${session.app}/_admin/migrations/${id}`);
      return (JSON.parse(answer) as { data: MigrationView }).data;
    } catch (error) {
      const isAway = error instanceof Unreachable || (error instanceof Refused && error.status >= 500);
      if (!isAway || Date.now() > until) throw error;
      await pause(1_000);
    }
  }
}

function stepLine(step: MigrationView['steps'][number], number: number, total: number, paper: Paper): string {
  const head = `  ${String(number).padStart(String(total).length)}/${total}  ${step.phase.padEnd(8)}  `;
  const room = paper.width - head.length;
  const text = step.sql.replaceAll(/\s+/g, ' ');
  return head + paper.paint('dim', text.length <= room ? text : `${text.slice(0, room - 3)}...`);
}

/** How it ended, for people. */
export function endLine({ migration, exitCode }: Followed, paper: Paper): string {
  const { status, to_version: version, error, id } = migration;
  if (exitCode === 0) return paper.paint('green', `Version ${version} is served.`);
  if (exitCode === EXIT_WAITS) {
    const verb = status === 'paused' ? 'resume' : 'approve';
    return paper.paint('yellow', `Migration ${id} is ${status.replaceAll('_', ' ')}: POST _admin/migrations/${id}/${verb} lets it go on.`);
  }
  const reason = error ?? 'no reason was given';
  return paper.paint('red', `The migration to version ${version} was ${status === 'failed' ? 'taken back' : 'aborted'}: ${reason}`);
}
