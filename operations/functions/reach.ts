/** Performs the functions that reach out of a write: under the limits of a run, and each effect under the run's key. */
import { run } from '../../adapters/postgres/run.ts';
import { canMail } from '../../adapters/config.ts';
import { OutboundError, type OutboundResponse } from '../../adapters/outbound.ts';
import { isAppError, type AppError } from '../../core/errors.ts';
import { FunctionError, readParameters, type ErrorKind, type FunctionSpec } from '../../core/functions/function.ts';
import { isWithinDomain } from '../../core/functions/validators.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import { isEmail } from '../../core/model/fields/email.ts';
import { entityOf, type EntityModel } from '../../core/model/model.ts';
import { COLUMN_TYPES, recordIdText } from '../../core/sql/columns.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { judgeStatus, retryAfterMs } from '../../core/webhook/backoff.ts';
import { homeOf } from '../auth/home.ts';
import type { AppContext } from '../context.ts';
import { queueMessage } from '../mails/outbox.ts';
import { selectRecords, type JsonRow } from '../processes/read-record.ts';
import { runOperations } from '../records/many.ts';
import type { Operation } from '../records/operation.ts';
import { redactor, secretsIn } from '../webhooks/redact.ts';
import { MissingSecretError, resolveSecrets } from '../webhooks/secrets.ts';
import type { Budget } from './budget.ts';

export interface Reach {
  /** Acts as the system; what it writes is caused by the run. */
  readonly ctx: AppContext;
  /** The same in every attempt. */
  readonly key: string;
  readonly budget: Budget;
  /** What `send_webhook` sends when it is given no body. */
  readonly payload: Readonly<Record<string, unknown>> | null;
}

/** Another server did not let the run succeed; a later attempt may. */
export class TryAgain extends FunctionError {
  override readonly name = 'FunctionError';
  readonly afterMs: number | null;
  constructor(message: string, afterMs: number | null = null) {
    super('ExternalService', message);
    this.afterMs = afterMs;
  }
}

type Params = Readonly<Record<string, unknown>>;

const PERFORMERS: Readonly<Record<string, (reach: Reach, params: never) => Promise<unknown>>> = {
  create_records: createRecords,
  update_records: updateRecords,
  find_records: findRecords,
  http_request: (reach, params: Params) => callAll(reach, { ...params, method: params['method'] }),
  send_webhook: (reach, params: Params) => callAll(reach, { ...params, method: 'POST', body: params['body'] ?? reach.payload }),
  slack_message: slackMessage,
  send_email: sendEmail,
};

export async function perform(reach: Reach, spec: FunctionSpec, params: Params): Promise<unknown> {
  const performer = PERFORMERS[spec.name];
  if (performer === undefined) throw new FunctionError('Validation', `${spec.name} cannot be performed.`);
  const read = readParameters(spec.name, spec.parameters, params);
  try {
    return await performer(reach, read as never);
  } catch (error) {
    throw isAppError(error) ? asFunctionError(error) : error;
  }
}

/** The refusal of one of our own operations, as a run tells it. */
export function asFunctionError(error: AppError): FunctionError {
  const first = error.details[0]?.message;
  const message = first === undefined || error.message.includes(first) ? error.message : `${error.message} ${first}`;
  if (error.status >= 500 || error.code === 'RATE_LIMITED' || error.code === 'CONFLICT') return new TryAgain(message);
  const kind: ErrorKind =
    error.status === 401 || error.status === 403
      ? 'Authorization'
      : error.status === 400 || error.status === 422
        ? 'Validation'
        : 'BusinessLogic';
  return new FunctionError(kind, message, error);
}

// --- records ---------------------------------------------------------------------------------------------------------

const operation = (entity: EntityModel, index: number, body: Params, recordId?: string): Operation => ({
  kind: recordId === undefined ? 'create' : 'update',
  entity,
  path: `records[${String(index)}]`,
  bodyPath: `records[${String(index)}]`,
  index,
  body,
  id: recordId,
  needs: [],
});

async function writeAll({ ctx, key }: Reach, operations: readonly Operation[]): Promise<readonly string[]> {
  const settled = await runOperations({ ...ctx, effectKey: key }, operations, { isAtomic: true });
  return settled.flatMap(({ outcome }) => outcome?.id ?? []);
}

async function createRecords(reach: Reach, { entity: name, records }: { entity: string; records: Params[] }): Promise<unknown> {
  reach.budget.records(records.length);
  const entity = entityOf(reach.ctx.app.model, name);
  const ids = await writeAll(
    reach,
    records.map((body, index) => operation(entity, index, body)),
  );
  return { ids };
}

async function updateRecords(
  reach: Reach,
  { entity: name, filter, fields }: { entity: string; filter: Params; fields: Params },
): Promise<unknown> {
  const entity = entityOf(reach.ctx.app.model, name);
  const { ctx, budget } = reach;
  const rows = await run<{ id: string }>(
    ctx.services.pool,
    sql`select ${recordIdText(entity, 't')} as id from ${id(ctx.app.storage, entity.rows)} t
        where ${and([conditionOf(entity, filter), ...(entity.hasSoftDelete ? [sql`t.deleted_at is null`] : [])])}
        order by 1 limit ${value(budget.rowsLeft() + 1, 'integer')}`,
  );
  budget.rows(rows.length);
  budget.records(rows.length);
  const ids = await writeAll(
    reach,
    rows.map((row, index) => operation(entity, index, fields, row.id)),
  );
  return { ids };
}

async function findRecords(
  { ctx, budget }: Reach,
  { entity: name, filter, limit }: { entity: string; filter: Params; limit: number },
): Promise<readonly JsonRow[]> {
  budget.rows(limit);
  const entity = entityOf(ctx.app.model, name);
  return selectRecords(ctx.services.pool, ctx.app, entity, conditionOf(entity, filter), limit);
}

/** Fields and what they equal; a list is any of it. Nothing would be everything, so it has to be said as an empty filter. */
function conditionOf(entity: EntityModel, filter: Params): Sql {
  const parts = Object.entries(filter).map(([name, wanted]): Sql => {
    const field = entity.fields.get(name);
    if (field === undefined) throw new FunctionError('Validation', `filter: ${entity.name} has no field "${name.slice(0, 100)}".`);
    if (wanted === null) return sql`${id('t', field.column)} is null`;
    const list = (Array.isArray(wanted) ? wanted : [wanted]).map((one: unknown) => {
      const coerced = coerceValue(field, one);
      if (!coerced.ok) throw new FunctionError('Validation', `filter: ${coerced.message}`);
      return sql`${id('t', field.column)} = ${value(coerced.value, COLUMN_TYPES[field.type])}`;
    });
    return list.length === 0 ? sql`false` : sql`(${list.reduce((all, one) => sql`${all} or ${one}`)})`;
  });
  return parts.length === 0 ? sql`true` : and(parts);
}

// --- other servers ---------------------------------------------------------------------------------------------------

/** What frames the message, or stays the same over its attempts, is not the document's to say. */
const OURS = /^(host|connection|content-length|transfer-encoding|idempotency-key)$/i;

const MAX_KEPT_BODY = 16 * 1024;

async function callAll(reach: Reach, params: Params): Promise<unknown> {
  const urls = Array.isArray(params['url']) ? (params['url'] as string[]) : [String(params['url'])];
  reach.budget.calls(urls.length);
  const answers: unknown[] = [];
  for (const [index, url] of urls.entries()) answers.push(await callOne(reach, { ...params, url }, index));
  return Array.isArray(params['url']) ? answers : answers[0];
}

async function callOne(reach: Reach, params: Params, index: number): Promise<unknown> {
  const { ctx, key, budget } = reach;
  const { services } = ctx;
  const body = params['body'] === undefined || params['body'] === null ? undefined : JSON.stringify(params['body']);
  const { url, headers, redact } = await addressed(reach, params);
  const response = await answered(services.clock, redact, () =>
    services.outbound.send({
      url,
      method: String(params['method']),
      timeoutMs: budget.timeLeft(),
      headers: {
        'user-agent': 'Durabase-Function/1',
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
        'idempotency-key': index === 0 ? key : `${key}-${String(index)}`,
      },
      ...(body === undefined ? {} : { body }),
    }),
  );
  return { status: response.status, body: bodyOf(redact(response.body)) };
}

/** The address and the headers with their secrets; a server may repeat those, so its words are told without them. */
async function addressed({ ctx }: Reach, params: Params) {
  const { services, app } = ctx;
  try {
    const resolved = await resolveSecrets(services, app, { url: String(params['url']) });
    const { headers, plain } = await resolveSecrets(services, app, (params['headers'] ?? {}) as Record<string, string>);
    const { url = '' } = resolved.headers;
    // Its text may be a secret, so it is not repeated.
    if (!URL.canParse(url)) throw new FunctionError('Validation', 'The address is none that can be called.');
    refuseForeignHost(ctx, url);
    const own = Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.test(name)));
    return { url, headers: own, redact: redactor([...resolved.plain, ...plain, ...secretsIn(headers)]) };
  } catch (error) {
    throw error instanceof MissingSecretError ? new FunctionError('Authorization', error.message) : error;
  }
}

/** Which hosts the app itself lets its functions call; networks of our own are refused below it in any case. */
function refuseForeignHost({ app }: AppContext, url: string): void {
  const allowed = app.model.settings.allowed_domains;
  if (allowed === undefined) return;
  const { hostname, host } = new URL(url);
  if (allowed.some((one) => one === host || isWithinDomain(hostname, one))) return;
  throw new FunctionError(
    'Authorization',
    `${hostname} is not among settings.allowed_domains (${allowed.slice(0, 10).join(', ') || 'none'}).`,
  );
}

async function answered(
  now: () => Date,
  redact: (text: string) => string,
  call: () => Promise<OutboundResponse>,
): Promise<OutboundResponse> {
  let response: OutboundResponse;
  try {
    response = await call();
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    const message = redact(error.message);
    throw error.kind === 'denied' ? new FunctionError('Authorization', message) : new TryAgain(message);
  }
  const outcome = judgeStatus(response.status);
  if (outcome === 'delivered') return response;
  const message = `The server answered ${String(response.status)}.`;
  const isWorthRepeating = response.status >= 500 || [408, 425, 429].includes(response.status);
  if (!isWorthRepeating) throw new FunctionError('ExternalService', message);
  throw new TryAgain(message, retryAfterMs(response.headers['retry-after'], now()));
}

function bodyOf(body: string): unknown {
  if (Buffer.byteLength(body) > MAX_KEPT_BODY) return null;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

function slackMessage(reach: Reach, { url, text, channel }: { url: string; text: string; channel?: string }): Promise<unknown> {
  return callAll(reach, { url, method: 'POST', body: { text, ...(channel === undefined ? {} : { channel }) } });
}

// --- mail ------------------------------------------------------------------------------------------------------------

async function sendEmail(
  { ctx, key, budget }: Reach,
  { to, subject, text }: { to: string | string[]; subject: string; text: string },
): Promise<unknown> {
  const receivers = [...new Set(Array.isArray(to) ? to : [to])];
  budget.mails(receivers.length);
  const wrong = receivers.find((one) => !isEmail(one));
  if (wrong !== undefined) throw new FunctionError('Validation', `"${wrong.slice(0, 100)}" is no email address.`);
  if (!canMail(ctx.services.config)) throw new FunctionError('ExternalService', 'This installation sends no mail: SMTP_URL is not set.');
  const { realm } = homeOf(ctx.app);
  // One line only: what follows a line break could be another header.
  const line = subject.replace(/[\r\n]+/g, ' ');
  for (const [index, receiver] of receivers.entries())
    await queueMessage(ctx.services.pool, ctx.services, realm, { to: receiver, subject: line, text }, `${key}/${String(index)}`);
  return { queued: receivers.length };
}
