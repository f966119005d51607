/** Actions that tell somebody: mails, notifications, webhooks, other workflows. Each is queued once, with the step's key. */
import { createHash } from 'node:crypto';
import { uuidv7 } from '../../adapters/ids.ts';
import { type Db, execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { escapeHtml, plainText } from '../../core/html.ts';
import type { ProcessAction } from '../../core/model/document.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { homeOf } from '../auth/home.ts';
import type { AppContext } from '../context.ts';
import { findEffect, saveEffect } from '../effects.ts';
import { queueMessage } from '../mails/outbox.ts';
import { markWork } from '../mark-work.ts';
import { queueStarts } from '../starts.ts';
import { buildPayload } from '../webhooks/payload.ts';
import type { RunShape } from './run-shape.ts';
import { prepareRun } from './prepare-run.ts';
import { readRecord } from './read-record.ts';
import { loadScope, resolveFor, type StepScope } from './scope.ts';
import { fillText, placeholdersOf, recordPathsOf, type ValueScope } from './values.ts';

export interface ActionStep {
  readonly ctx: AppContext;
  readonly scope: ValueScope;
  readonly step: StepScope;
  readonly shape: RunShape;
  readonly key: string;
}

type Action<T extends ProcessAction['type']> = Extract<ProcessAction, { type: T }>;
type Result = { readonly saved?: Record<string, unknown> };

/** Does `effect` once and keeps `result` with it; a repetition answers what was kept. */
async function once(step: ActionStep, result: Result, effect: (db: Db) => Promise<void>): Promise<Result> {
  const { services, app } = step.ctx;
  const done = await findEffect(services.pool, app.storage, step.key);
  if (done !== undefined) return done as Result;
  await transaction(services.pool, async (client) => {
    if (await saveEffect(client, app.storage, step.key, result)) await effect(client);
  });
  return result;
}

const ADDRESS = /^[^\s@,;<>"]+@[^\s@,;<>"]+$/;

export async function sendMail(step: ActionStep, action: Action<'email'>): Promise<Result> {
  const { services, app } = step.ctx;
  const scope = await scopeFor(step, [action.subject, action.text, action.html, action.template]);
  const named = [await resolveFor(services, app, step.step, scope, action.to)].flat();
  const to = [...new Set((await addressesOf(step, named)).filter((address) => ADDRESS.test(address)))];
  if (to.length === 0) throw new AppError('INVALID_VALUE', `The mail has nobody to go to: ${JSON.stringify(action.to)} gives no address.`);
  const subject = fillText(action.subject, scope).replace(/[\r\n]+/g, ' ');
  const html = action.html ?? action.template;
  const text = fillText(action.text ?? plainText(html ?? ''), scope);
  const message = { subject, text, ...(html === undefined ? {} : { html: fillText(html, scope, escapeHtml) }) };
  return once(step, {}, async (db) => {
    for (const address of to) await queueMessage(db, services, homeOf(app).realm, { ...message, to: address }, `${step.key}/${address}`);
  });
}

/** The scope with what the `{{...}}` of texts read. */
const scopeFor = (step: ActionStep, texts: readonly (string | undefined)[]): Promise<ValueScope> =>
  loadScope(
    step.ctx.services,
    step.ctx.app,
    step.step,
    recordPathsOf(texts.flatMap((text) => (text === undefined ? [] : placeholdersOf(text)))),
  );

interface UserRow {
  readonly id: string;
  readonly email: string;
}

/** Addresses as they are; ids of users and `role:<name>` as the addresses of those people. */
async function addressesOf(step: ActionStep, named: readonly unknown[]): Promise<string[]> {
  const texts = textsOf(named);
  const users = await usersNamed(
    step,
    texts.filter((text) => !ADDRESS.test(text)),
  );
  return [...texts.filter((text) => ADDRESS.test(text)), ...users.map((user) => user.email)];
}

const textsOf = (named: readonly unknown[]): string[] => named.filter((name): name is string => typeof name === 'string' && name !== '');

/** Active users by id, address or `role:<name>`. */
function usersNamed({ ctx }: ActionStep, named: readonly string[]): Promise<UserRow[]> {
  if (named.length === 0) return Promise.resolve([]);
  const words = named.map((name) => name.toLowerCase());
  const roles = words.flatMap((word) => (word.startsWith('role:') ? [word.slice(5)] : []));
  return run<UserRow>(
    ctx.services.pool,
    sql`select id, email from ${id(ctx.app.storage, '_users')}
        where active and (id::text = any(${value(words, 'text[]')}) or lower(email) = any(${value(words, 'text[]')})
          or exists (select from unnest(roles) as r(role) where lower(r.role) = any(${value(roles, 'text[]')})))
        order by id limit 1000`,
  );
}

export async function notify(step: ActionStep, action: Action<'notify'>): Promise<Result> {
  const { services, app } = step.ctx;
  const scope = await scopeFor(step, [action.message, action.link]);
  const users = await usersNamed(step, textsOf([await resolveFor(services, app, step.step, scope, action.to)].flat()));
  if (users.length === 0)
    throw new AppError('INVALID_VALUE', `The notification has nobody to go to: ${JSON.stringify(action.to)} names no active user.`, {
      hint: 'Name users by id or address, or by role: "role:<name>".',
    });
  const message = fillText(action.message, scope).slice(0, 2_000);
  const link = action.link === undefined ? null : fillText(action.link, scope);
  return once(step, {}, async (db) => {
    await execute(
      db,
      sql`insert into ${id(app.storage, '_notifications')} (id, user_id, message, link, run_id)
          select (u->>'id')::uuid, (u->>'user')::uuid, ${value(message)}, ${value(link)}, ${value(step.step.runId, 'uuid')}
          from jsonb_array_elements(${value(JSON.stringify(users.map((user) => ({ id: uuidv7(), user: user.id }))), 'jsonb')}) u`,
    );
  });
}

/** A webhook of the document, sent by the dispatcher like any delivery: signed, retried, visible. */
export async function deliverNow(step: ActionStep, action: Action<'webhook'>): Promise<Result> {
  const { services, app } = step.ctx;
  const hook = app.model.document.webhooks.find(({ id: hookId, name }) => hookId === action.webhook || name === action.webhook);
  if (hook?.id === undefined) throw new AppError('NOT_FOUND', `There is no webhook "${action.webhook}".`);
  const { entity: entityName, recordId } = step.step.trigger;
  const entity = entityName === null ? undefined : app.model.entities.get(step.shape.entityNow(entityName));
  if (entity === undefined || recordId === null)
    throw new AppError('INVALID_STATE', `The webhook "${action.webhook}" tells of a record, and this run has none.`);
  const record = await readRecord(services.pool, app, entity.name, recordId);
  const deliveryId = uuidv7();
  const actor = { id: step.ctx.actor.id, roles: step.ctx.actor.roles };
  const change = {
    action: 'update' as const,
    entity: entity.name,
    record,
    old: null,
    changes: {},
    actor,
    at: step.scope.now,
    schemaVersion: app.version,
  };
  const body = { ...buildPayload(app, entity, hook, change, deliveryId), run_id: step.step.runId };
  const webhook = hook.id;
  return once(step, {}, async (db) => {
    await execute(
      db,
      sql`insert into ${id(app.storage, '_deliveries')} (id, event_seq, webhook, entity, record_id, record_version, body, status)
          values (${value(deliveryId, 'uuid')}, ${value(ownNumber(step.key), 'bigint')}, ${value(webhook)}, ${value(entity.name)}, ${value(recordId)}, 0,
                  ${value(JSON.stringify(body), 'jsonb')}, 'pending')`,
    );
    await execute(db, markWork(app, false, true));
  });
}

/** Deliveries of events have the event's number; this one belongs to no event, so it has one below zero. */
const ownNumber = (key: string): string => `-${(createHash('sha256').update(key).digest().readUIntBE(0, 6) + 1).toString()}`;

export async function startOther(step: ActionStep, action: Action<'start_workflow'>): Promise<Result> {
  const { services, app } = step.ctx;
  const [visit, number] = step.key.split('/').slice(-2);
  const order = {
    workflow: action.workflow,
    given: action.context,
    recordId: action.record_id ?? null,
    key: `${step.step.runId}-${visit ?? ''}.${number ?? ''}`,
  };
  const { workflowId, input } = await prepareRun(services, app, step.step, order);
  const result = action.save_as === undefined ? {} : { saved: { [action.save_as]: { id: input.runId } } };
  return once(step, result, (db) => queueStarts(db, app, [{ workflow_id: workflowId, kind: 'process', input }]));
}
