import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../operations/context.ts';
import { checkParameters } from '../../operations/paging.ts';
import { importDocument, type ImportOptions } from '../../operations/schemas/import.ts';
import { bodyAnswer, type Answer } from '../http/answer.ts';
import { documentOf, type Call } from '../http/call.ts';
import { publishOptionsOf } from './definitions.ts';

/** `POST /api/:app/_admin/import?mode=skip|merge|replace&events=all|none`: JSON or YAML, all or nothing. */
export async function importRoute(ctx: AppContext, call: Call): Promise<Answer> {
  call.route = '/api/:app/_admin/import';
  checkParameters(call.query, ['mode', 'events', 'confirm']);
  const mode = oneOf(call.query, 'mode', ['skip', 'merge', 'replace'] as const);
  const events = oneOf(call.query, 'events', ['all', 'none'] as const);
  const document = await documentOf(call);
  if (document === undefined || document === '')
    throw new AppError('INVALID_PAYLOAD', 'The body must be a schema document, as JSON or YAML.');
  const options: ImportOptions = {
    ...publishOptionsOf(call),
    ...(mode === undefined ? {} : { mode }),
    ...(events === undefined ? {} : { events }),
  };
  const report = await importDocument(ctx, document, options);
  return bodyAnswer({ message: report.message, data: report }, 200, { ETag: `"${report.schema_version}"` });
}

function oneOf<const Choice extends string>(query: URLSearchParams, name: string, choices: readonly Choice[]): Choice | undefined {
  const given = query.get(name);
  if (given === null) return undefined;
  const choice = choices.find((candidate) => candidate === given);
  if (choice === undefined) throw new AppError('INVALID_VALUE', `"${name}" must be one of ${choices.join(', ')}.`);
  return choice;
}
