/** `/api/:app/_admin/export|import|findings|versions|migrations`: the schema document as a whole. */
import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../operations/context.ts';
import { exportDocument, exportYaml } from '../../operations/schemas/export.ts';
import { listFindings } from '../../operations/schemas/findings.ts';
import { findMigration, getMigration, listMigrations } from '../../operations/schemas/migrations.ts';
import { checkParameters } from '../../operations/paging.ts';
import { askMigration, MIGRATION_VERBS, type MigrationVerb, type MigrationWord } from '../../operations/schemas/ask-migration.ts';
import { moveToVersion, planMove } from '../../operations/schemas/move.ts';
import { planOfMigration } from '../../operations/schemas/stored-plan.ts';
import { listQuarantine } from '../../operations/schemas/quarantine.ts';
import type { Published } from '../../operations/schemas/run-migration.ts';
import {
  diffVersions,
  getVersion,
  listVersions,
  planDocument,
  planRollback,
  publishVersion,
  rollbackVersion,
} from '../../operations/schemas/versions.ts';
import { bodyAnswer, dataAnswer, textAnswer, type Answer } from '../http/answer.ts';
import { documentOf, headerOf, membersOf, noBodyOf, optionalMembersOf, type Call } from '../http/call.ts';
import { confirmOf, publishOptionsOf } from './definitions.ts';
import { importRoute } from './import.ts';
import { noSuchRoute } from './not-found.ts';

export async function schemaRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [part, key, verb, ...more] = rest;
  if (part === 'versions') return versionsRoute(ctx, call, rest.slice(1));
  if (part === 'migrations' && key !== undefined && verb === 'quarantine' && more.length === 0) return quarantineRoute(ctx, call, key);
  if (part === 'migrations' && key !== undefined && verb === 'plan' && more.length === 0) return storedPlanRoute(ctx, call, key);
  if (part === 'migrations' && key !== undefined && verb !== undefined && more.length === 0)
    return migrationVerbRoute(ctx, call, key, verb);
  if (verb !== undefined) throw noSuchRoute(call);
  if (part === 'import' && key === undefined && call.method === 'POST') return importRoute(ctx, call);
  if (part === 'migrations' && key === undefined && call.method === 'POST') {
    checkParameters(call.query, ['dry_run', 'confirm']);
    const { to_version: version } = await membersOf(call, '_admin/migrations', ['to_version']);
    if (isDryRun(call)) return dataAnswer(await planMove(ctx, version));
    return published(await moveToVersion(ctx, version, confirmOf(call)));
  }
  if (call.method !== 'GET') throw noSuchRoute(call);
  if (part === 'migrations' && key === undefined) return bodyAnswer(await listMigrations(ctx, call.query));
  checkParameters(call.query, part === 'export' ? ['format'] : []);
  if (part === 'migrations' && key !== undefined) return dataAnswer(await getMigration(ctx, key));
  if (key !== undefined) throw noSuchRoute(call);
  if (part === 'export') return exportRoute(ctx, call);
  if (part === 'findings') return dataAnswer(await listFindings(ctx));
  throw noSuchRoute(call);
}

async function migrationVerbRoute(ctx: AppContext, call: Call, key: string, word: string): Promise<Answer> {
  const verb = MIGRATION_VERBS.find((one) => one === word);
  if (verb === undefined || call.method !== 'POST') throw noSuchRoute(call);
  checkParameters(call.query, []);
  return dataAnswer(await askMigration(ctx, key, verb, await wordOf(call, verb)));
}

/** An empty body says nothing more than the route. */
async function wordOf(call: Call, verb: MigrationVerb): Promise<MigrationWord> {
  const allowed = verb === 'approve' ? ['plan_hash', 'comment'] : verb === 'contract' ? ['drop'] : ['comment'];
  const body = await optionalMembersOf(call, `migrations/${verb}`, allowed);
  const wrong = Object.entries(body).find(([name, member]) => typeof member !== (name === 'drop' ? 'boolean' : 'string'));
  if (wrong !== undefined) {
    const message = `"${wrong[0]}" must be ${wrong[0] === 'drop' ? 'true or false' : 'text'}`;
    throw new AppError('VALIDATION_FAILED', `${message}.`, { details: [{ field: wrong[0], rule: 'type', message }] });
  }
  const { plan_hash: planHash, comment, drop } = body as { plan_hash?: string; comment?: string; drop?: boolean };
  return {
    ...(planHash === undefined ? {} : { planHash }),
    ...(comment === undefined ? {} : { comment }),
    ...(drop === undefined ? {} : { drop }),
  };
}

async function storedPlanRoute(ctx: AppContext, call: Call, key: string): Promise<Answer> {
  if (call.method !== 'GET') throw noSuchRoute(call);
  checkParameters(call.query, []);
  return dataAnswer(await planOfMigration(ctx, key));
}

async function quarantineRoute(ctx: AppContext, call: Call, key: string): Promise<Answer> {
  if (call.method !== 'GET') throw noSuchRoute(call);
  checkParameters(call.query, ['page', 'per_page']);
  const { to_version: version } = await findMigration(ctx, key);
  return bodyAnswer(await listQuarantine(ctx, version, call.query));
}

const YAML = /^(?:text|application)\/(?:x-)?yaml\b/;

function exportRoute(ctx: AppContext, call: Call): Answer {
  const wanted = call.query.get('format') ?? (YAML.test(headerOf(call, 'accept') ?? '') ? 'yaml' : 'json');
  if (wanted === 'yaml') return { ...textAnswer(exportYaml(ctx)), type: 'application/yaml; charset=utf-8' };
  if (wanted !== 'json') throw new AppError('INVALID_VALUE', 'format must be json or yaml.');
  return dataAnswer(exportDocument(ctx));
}

async function versionsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [key, verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  checkParameters(call.query, call.method === 'POST' ? ['dry_run', 'confirm'] : []);
  if (key === undefined && call.method === 'GET') return bodyAnswer(await listVersions(ctx));
  if (key === undefined && call.method === 'POST') return publishRoute(ctx, call);
  if (key === undefined) throw noSuchRoute(call);
  if (verb === 'rollback' && call.method === 'POST') {
    await noBodyOf(call, 'versions/rollback');
    if (isDryRun(call)) return dataAnswer(await planRollback(ctx, numberOf(key)));
    return published(await rollbackVersion(ctx, numberOf(key), publishOptionsOf(call)));
  }
  if (verb !== undefined || call.method !== 'GET') throw noSuchRoute(call);
  const range = /^(\d{1,9})\.\.\.(\d{1,9})$/.exec(key);
  if (range !== null) return dataAnswer(await diffVersions(ctx, Number(range[1]), Number(range[2])));
  return dataAnswer(await getVersion(ctx, numberOf(key)));
}

async function publishRoute(ctx: AppContext, call: Call): Promise<Answer> {
  const document = await wholeDocument(call);
  if (isDryRun(call)) return dataAnswer(await planDocument(ctx, document));
  return published(await publishVersion(ctx, document, publishOptionsOf(call)));
}

export async function wholeDocument(call: Call): Promise<unknown> {
  const document = await documentOf(call);
  if (document === undefined) throw new AppError('INVALID_PAYLOAD', 'The body must be a schema document.');
  return document;
}

export const isDryRun = (call: Call): boolean => ['true', '1', ''].includes(call.query.get('dry_run') ?? 'false');

/** 201 for a new version, 200 when nothing changed, 202 while the migration still runs. */
export function published({ version, changes, findings, migration, isPending }: Published): Answer {
  const isNew = changes.length > 0 || migration !== null;
  const status = isPending ? 202 : isNew ? 201 : 200;
  return bodyAnswer({ data: { schema_version: version, changes, findings, migration } }, status, { ETag: `"${version}"` });
}

export function numberOf(key: string): number {
  if (!/^\d{1,9}$/.test(key)) throw new AppError('NOT_FOUND', `There is no version "${key.slice(0, 100)}".`);
  return Number(key);
}
