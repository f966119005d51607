/**
 * Telling people about a task: in the app and by mail, each kind and moment once. Queued in the transaction of what is told, so that a
 * notice is lost with what it tells and with nothing else. Whoever cannot be reached is named in the answer.
 */
import { canMail } from '../../adapters/config.ts';
import { execute, type Db, run } from '../../adapters/postgres/run.ts';
import { fillIn, noticeText, placeholdersOf, type NoticeFacts, type NoticeText } from '../../core/approval/words.ts';
import type { NoticeKind } from '../../core/model/approval-step.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { homeOf } from '../auth/home.ts';
import type { AppRuntime, Services } from '../context.ts';
import { queueMessage } from '../mails/outbox.ts';
import { readInShape } from '../processes/run-shape.ts';
import { uuidOf } from '../processes/run-id.ts';
import { recordPathsOf, walk } from '../processes/values.ts';
import type { TaskRow } from './task.ts';

export interface Notice {
  readonly kind: NoticeKind;
  /** Of the effect: the same key tells the same people once. */
  readonly key: string;
  /** User ids. */
  readonly to: readonly string[];
  readonly by?: string | null;
  readonly comment?: string | null;
  readonly status?: string;
}

export interface Told {
  readonly told: number;
  /** Who has no account or address to be reached at. */
  readonly skipped: readonly string[];
}

/** A role of hundreds is not written to one by one; the task is in everybody's list. */
const MAX_RECEIVERS = 100;

interface RunFacts {
  readonly workflow_name: string;
  readonly entity: string | null;
  readonly record_id: string | null;
  readonly schema_version: number;
  readonly context: Record<string, unknown>;
}

export async function tell(db: Db, services: Services, app: AppRuntime, task: TaskRow, notice: Notice): Promise<Told> {
  const { mail } = task.settings;
  const asked = [...new Set(notice.to)];
  const people = await peopleOf(db, app, [...asked, ...(notice.by === undefined || notice.by === null ? [] : [notice.by])]);
  const found = asked.filter((person) => people.has(person)).slice(0, MAX_RECEIVERS);
  if (found.length === 0) return { told: 0, skipped: asked };
  const words = await wordsOf(db, services, app, task, notice, people);
  await notify(db, app, task, found, { key: notice.key, message: words.subject });
  const sendsMail = mail !== false && canMail(services.config);
  const mailed = sendsMail ? found.filter((person) => ADDRESS.test(people.get(person) ?? '')) : found;
  if (sendsMail) {
    const { realm } = homeOf(app);
    for (const person of mailed) await queueMessage(db, services, realm, { to: people.get(person) ?? '', ...words }, `${notice.key}/${person}`); // prettier-ignore
  }
  return { told: mailed.length, skipped: asked.filter((person) => !mailed.includes(person)) };
}

const ADDRESS = /^[^\s@]+@[^\s@]+$/;

/** Active users with what stands as their address. */
async function peopleOf(db: Db, app: AppRuntime, people: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await run<{ id: string; email: string }>(
    db,
    sql`select id, email from ${id(app.storage, '_users')}
        where active and id = any(${value(
          people.filter((person) => isUuid(person)),
          'uuid[]',
        )})`,
  );
  return new Map(rows.map((row) => [row.id, row.email]));
}

/** In the app: one row a person and effect, under an id made of both. */
async function notify(
  db: Db,
  app: AppRuntime,
  task: TaskRow,
  people: readonly string[],
  { key, message }: { readonly key: string; readonly message: string },
): Promise<void> {
  const rows = people.map((person) => ({ id: uuidOf(`${key}/${person}`), user_id: person }));
  await execute(
    db,
    sql`insert into ${id(app.storage, '_notifications')} (id, user_id, message, link, run_id)
        select n.id, n.user_id, ${value(message, 'text')}, ${value(`/admin/t/${app.name}/inbox`, 'text')}, ${value(task.run_id, 'uuid')}
        from jsonb_to_recordset(${value(JSON.stringify(rows), 'jsonb')}) as n(id uuid, user_id uuid)
        on conflict (id) do nothing`,
  );
}

async function wordsOf(
  db: Db,
  services: Services,
  app: AppRuntime,
  task: TaskRow,
  notice: Notice,
  people: ReadonlyMap<string, string>,
): Promise<NoticeText> {
  const [found] = await run<RunFacts>(
    db,
    sql`select workflow_name, entity, record_id, schema_version, context from ${id(app.storage, '_runs')} where id = ${value(task.run_id, 'uuid')}`,
  );
  const by = notice.by === undefined || notice.by === null ? undefined : (people.get(notice.by) ?? notice.by);
  const facts: NoticeFacts = {
    app: app.displayName,
    workflow: found?.workflow_name ?? '',
    title: task.settings.title ?? task.step,
    dueAt: task.due_at === null ? null : new Date(task.due_at).toISOString(),
    link: `${services.config.publicUrl.replace(/\/$/, '')}/admin/t/${app.name}/inbox`,
    ...(by === undefined ? {} : { by }),
    ...(notice.comment === undefined || notice.comment === null ? {} : { comment: notice.comment }),
    ...(notice.status === undefined ? {} : { status: notice.status.replaceAll('_', ' ') }),
  };
  const ours = noticeText(notice.kind, facts);
  const { mail } = task.settings;
  const theirs = mail === undefined || mail === false ? undefined : mail[notice.kind];
  if (theirs === undefined || found === undefined) return ours;
  const text = { subject: theirs.subject ?? ours.subject, text: theirs.text ?? ours.text };
  return fillAll(db, app, found, facts, text, theirs);
}

/** Only the app's own words have placeholders: what people wrote is never read as one. */
async function fillAll(
  db: Db,
  app: AppRuntime,
  found: RunFacts,
  facts: NoticeFacts,
  text: NoticeText,
  theirs: { readonly subject?: string | undefined; readonly text?: string | undefined },
): Promise<NoticeText> {
  const paths = placeholdersOf(`${theirs.subject ?? ''} ${theirs.text ?? ''}`);
  const needed = paths.flatMap((path) => recordPathsOf(path));
  const record =
    needed.length === 0 || found.entity === null || found.record_id === null
      ? null
      : await readInShape(db, app, found.schema_version, { entity: found.entity, recordId: found.record_id }, needed);
  const scope = {
    record,
    context: found.context,
    app: facts.app,
    workflow: facts.workflow,
    task: { title: facts.title, due_at: facts.dueAt },
    decision: { by: facts.by ?? null, comment: facts.comment ?? null, status: facts.status ?? null },
    link: facts.link,
  };
  const valueOf = (path: string): unknown => walk(scope, path.split('.'));
  return {
    subject: theirs.subject === undefined ? text.subject : fillIn(theirs.subject, valueOf),
    text: theirs.text === undefined ? text.text : fillIn(theirs.text, valueOf),
  };
}
