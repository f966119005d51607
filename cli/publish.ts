/** What `plan`, `apply` and `rollback` share: the plan, the word for it, the publish, and watching it to its end. */
import readline from 'node:readline/promises';
import type { MigrationView } from '../operations/schemas/migrations.ts';
import type { PlanView } from '../operations/schemas/plan-view.ts';
import { endLine, followMigration } from './follow-migration.ts';
import { CONNECTION_OPTIONS, type RequestOptions, type Session } from './http.ts';
import { paperOf, type Paper } from './text/paper.ts';
import { planLines } from './text/plan.ts';

export const PUBLISH_OPTIONS = {
  ...CONNECTION_OPTIONS,
  yes: { type: 'boolean', short: 'y', default: false },
  'confirm-drop': { type: 'boolean', default: false },
  'no-wait': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

export const PUBLISH_HELP = [
  '  --yes, -y         do not ask; nothing is asked either when input or output is no terminal',
  '  --confirm-drop    what vanishes is meant to; who answers the question on a terminal says so too',
  '  --no-wait         end when the migration is recorded',
  '  --json            the answer as JSON and nothing else; asks nothing',
].join('\n');

export const EXIT_HELP = [
  'Ends with 0 when the version is served (or nothing was to change), 1 when it was refused, taken back or',
  'aborted, 3 when the migration waits for somebody: for an approval, or because it is paused.',
].join('\n');

interface PublishAnswer {
  readonly schema_version: number;
  readonly changes: readonly unknown[];
  readonly findings: readonly unknown[];
  readonly migration: MigrationView | null;
}

/** `path` behind `_admin/versions`. */
export async function planOf(session: Session, document: RequestOptions, path = ''): Promise<PlanView> {
  const answer = await session.request('POST', `/api/${session.app}/_admin/versions${path}?dry_run=true`, document);
  return (JSON.parse(answer) as { data: PlanView }).data;
}

export interface Publish {
  readonly plan: PlanView;
  readonly path: string;
  readonly request: RequestOptions;
}

interface Flags {
  readonly yes: boolean;
  readonly 'confirm-drop': boolean;
  readonly 'no-wait': boolean;
  readonly json: boolean;
}

/** Shows the plan, asks on a terminal, publishes exactly what was shown, and follows. Answers the exit code. */
export async function publish(session: Session, { plan, path, request }: Publish, flags: Flags): Promise<number> {
  const paper = paperOf(process.stdout);
  const say = flags.json ? (): void => undefined : (line: string): void => void process.stdout.write(`${line}\n`);
  planLines(session.app, plan, paper).forEach(say);
  const answered = plan.changes.length === 0 || flags.yes || flags.json ? undefined : await isWanted();
  if (answered === false) {
    say('Nothing was changed.');
    return 1;
  }
  const isMeant = flags['confirm-drop'] || (answered === true && plan.questions.every(({ rule }) => rule === 'confirm_drop'));
  // Somebody else's version in between is a 412, not a plan nobody has seen.
  const answer = await session.request('POST', isMeant ? `${path}?confirm=drop` : path, { ...request, ifMatch: plan.from_version });
  const { data } = JSON.parse(answer) as { data: PublishAnswer };
  return follow(session, data, { ...flags, paper, say });
}

interface Telling extends Flags {
  readonly paper: Paper;
  say(line: string): void;
}

async function follow(session: Session, data: PublishAnswer, { json, 'no-wait': isLeft, paper, say }: Telling): Promise<number> {
  const tellJson = (migration: MigrationView | null): void => {
    if (json) process.stdout.write(`${JSON.stringify({ ...data, migration }, null, 2)}\n`);
  };
  if (data.migration === null || isLeft) {
    tellJson(data.migration);
    say('');
    say(data.migration === null ? `Version ${data.schema_version} is served already.` : `Migration ${data.migration.id} is recorded.`);
    return 0;
  }
  say('');
  say(paper.paint('bold', 'Migration'));
  const followed = await followMigration(session, data.migration, paper, say);
  say(endLine(followed, paper));
  tellJson(followed.migration);
  return followed.exitCode;
}

/** Asked only where somebody can answer. */
/** Undefined where nobody can be asked. */
async function isWanted(): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(?:es)?$/i.test((await terminal.question('\nApply this? [y/N] ')).trim());
  } finally {
    terminal.close();
  }
}
