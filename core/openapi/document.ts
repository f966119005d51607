/**
 * The OpenAPI 3.1 description of one app for one caller, made from the model. Pure: the same model and rights give the same
 * text, and what the caller may not read or do is in no path, schema, enum or example.
 */
import { authSettingsSchema } from '../model/document.ts';
import type { AppModel } from '../model/model.ts';
import { absencePaths, ABSENCE_SCHEMAS } from './absence-paths.ts';
import { ADMIN_PARAMETERS, ADMIN_TAGS, adminPaths, adminSchemas } from './admin-paths.ts';
import { askedByKey, limitedError, withRateLimits, withReplays, withShapes } from './asked-by.ts';
import { authPaths, AUTH_SCHEMAS } from './auth-paths.ts';
import { COMMENT_SCHEMAS } from './comment-paths.ts';
import { entitySchemas, schemaName } from './entity-schemas.ts';
import { FREE_SCHEMAS, type JsonObject, type Schema } from './json.ts';
import { importPaths, IMPORT_SCHEMAS, IMPORTS_TAG } from './import-paths.ts';
import { keyPaths, KEY_SCHEMAS } from './key-paths.ts';
import { LIST_SCHEMAS, listPaths, LISTS_TAG } from './list-paths.ts';
import { entityParameters, includeItem, LIST_PARAMETER_COMPONENTS } from './list-parameters.ts';
import { batchPath, RESULTS_META } from './many-paths.ts';
import { HAVING } from './reading-paths.ts';
import { REALTIME_TAG, realtimePaths } from './realtime-paths.ts';
import { overviewPaths } from './overview-paths.ts';
import { PAGE_META, recordPaths, WALK_META, WALK_PAGE } from './record-paths.ts';
import {
  data,
  ERROR_DETAIL_SCHEMA,
  ERROR_SCHEMA,
  errorResponses,
  errorsOf,
  HEADERS,
  jsonAnswer,
  SHAPE_PARAMETER_COMPONENTS,
  withETag,
  WRITE_PARAMETER_COMPONENTS,
  type Paths,
} from './responses.ts';
import { providerPaths, signUpPaths } from './sign-up-paths.ts';
import { clockPaths, SLA_SCHEMAS, SLAS_TAG } from './sla-paths.ts';
import { viewOf, type ApiCaller, type AppView, type EntityView } from './view.ts';
import { NOTIFICATIONS_TAG, processPaths } from './process-paths.ts';
import { WORKFLOW_SCHEMAS, workflowPaths } from './workflow-paths.ts';

export interface ApiSubject {
  readonly name: string;
  readonly displayName: string;
  readonly version: number;
  readonly model: AppModel;
  readonly caller: ApiCaller;
}

export function describeApi(subject: ApiSubject): JsonObject {
  const steps = describeSteps(subject);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same in pieces of a few milliseconds, for whoever has others to answer in between. */
export function* describeSteps(subject: ApiSubject): Generator<undefined, JsonObject, undefined> {
  const app = viewOf(subject.model, subject.caller);
  const base = `/api/${subject.name}`;
  yield;
  const paths: Paths = {};
  for (const part of pathParts(app, base)) {
    Object.assign(paths, askedBy(subject.caller, app, base, part()));
    yield;
  }
  const all = { schemas: schemasOf(app), parameters: parametersOf(app), responses: responsesOf(app), headers: HEADERS };
  yield;
  const components = yield* usedComponents(paths, all);
  return {
    openapi: '3.1.0',
    info: {
      title: subject.displayName,
      version: String(subject.version),
      description: 'The data API of this app as far as the caller may use it; another role is told another description.',
    },
    servers: [{ url: '/', description: 'This installation' }],
    tags: tagsOf(app),
    security: [{ bearer: [] }, { api_key: [] }],
    paths,
    components: {
      ...components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The access token of `auth/login`, or an API key.' },
        api_key: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'What its account or roles may do, cut by its scopes.' },
      },
    },
  };
}

/** What the caller may ask, with what an app's limits add to the answers. */
function askedBy({ scopes }: ApiCaller, app: AppView, base: string, part: Paths): Paths {
  const all = withShapes(withReplays(part), base);
  const paths = scopes === undefined ? all : askedByKey(all, base, scopes);
  return hasLimits(app) ? withRateLimits(paths, base) : paths;
}

const hasLimits = (app: AppView): boolean => app.model.settings.limits?.requests_per_minute !== undefined;

function responsesOf(app: AppView): Record<string, JsonObject> {
  const { Error429: tooMany, ...others } = errorResponses();
  return { ...others, ...(tooMany === undefined ? {} : { Error429: hasLimits(app) ? limitedError(tooMany) : tooMany }) };
}

const NO_SETTINGS = authSettingsSchema.parse({});

/** Accounts and what they sign in with. */
const accountPaths = (app: AppView, base: string): Paths => ({
  ...authPaths(base),
  ...signUpPaths(base, app.model.settings.auth ?? NO_SETTINGS),
  ...providerPaths(base),
  ...keyPaths(`${base}/auth/api-keys`, 'auth', 'own'),
});

const tagsOf = (app: AppView): JsonObject[] => [
  ...[...app.entities.values()].map(({ entity }): JsonObject => ({
    name: entity.name,
    description: entity.definition.description ?? `Records of ${entity.name.replaceAll('_', ' ')}.`,
  })),
  { name: 'batch', description: 'Writes over several entities.' },
  { name: IMPORTS_TAG, description: 'Files of records: checked, written and taken back.' },
  ...(app.model.workflows.length === 0 ? [] : [{ name: 'workflows', description: 'Runs of workflows and their tasks.' }]),
  ...([...app.entities.values()].some(({ can }) => can.read) ? [REALTIME_TAG, LISTS_TAG] : []),
  ...(app.model.document.slas.length === 0 ? [] : [{ name: SLAS_TAG, description: 'Clocks of SLAs.' }]),
  NOTIFICATIONS_TAG,
  { name: 'auth', description: 'Signing in and out, and the own account.' },
  { name: 'description', description: 'What this app holds.' },
  ...(app.isAdmin ? ADMIN_TAGS : []),
];

const pathParts = (app: AppView, base: string): (() => Paths)[] => [
  ...[...app.entities.values()].map((view) => () => recordPaths(app, view, base)),
  () => ({
    ...batchPath(app, base),
    ...importPaths(app, base),
    ...realtimePaths(app, base),
    ...workflowPaths(app, base),
    ...processPaths(app, base),
    ...clockPaths(app, base),
    ...absencePaths(app, base),
    ...listPaths(app, base),
    ...overviewPaths(app, base),
    ...accountPaths(app, base),
  }),
  () => (app.isAdmin ? adminPaths(base) : {}),
  () => descriptionPaths(base),
];

/** What the caller may know of the app itself. */
const descriptionPaths = (base: string): Paths => ({
  [`${base}/_discovery`]: {
    get: described('discovery', 'Entities, fields, relations and rights of the caller', 'The description.', data({ type: 'object' })),
  },
  [`${base}/_openapi.json`]: {
    get: withYaml(described('openapi', 'This description', 'The description for the caller.', { type: 'object' })),
  },
});

const described = (operationId: string, summary: string, description: string, schema: Schema): JsonObject =>
  withETag({
    tags: ['description'],
    operationId,
    summary,
    responses: {
      '200': jsonAnswer({ description, schema, headers: { ETag: { $ref: '#/components/headers/ETag' } } }),
      ...errorsOf([401, 403, 404, 405, 429, 500, 503]),
    },
  });

function withYaml(operation: JsonObject): JsonObject {
  const responses = operation['responses'] as Readonly<Record<string, JsonObject>>;
  const answer = responses['200'] ?? {};
  const content = { ...(answer['content'] as JsonObject), 'application/yaml': { schema: { type: 'string' } } };
  return { ...operation, responses: { ...responses, '200': { ...answer, content } } };
}

function includeSchemas(app: AppView, view: EntityView): Record<string, Schema> {
  const item = view.can.read ? includeItem(app, view) : undefined;
  return item === undefined ? {} : { [schemaName(view.entity.name, 'include')]: item };
}

const schemasOf = (app: AppView): Record<string, Schema> => ({
  ...Object.assign({}, ...[...app.entities.values()].map((view) => ({ ...entitySchemas(app, view), ...includeSchemas(app, view) }))),
  ...WORKFLOW_SCHEMAS,
  ...SLA_SCHEMAS,
  ...ABSENCE_SCHEMAS,
  ...IMPORT_SCHEMAS,
  ...LIST_SCHEMAS,
  ...COMMENT_SCHEMAS,
  ...AUTH_SCHEMAS,
  ...KEY_SCHEMAS,
  ...(app.isAdmin ? adminSchemas() : {}),
  ...FREE_SCHEMAS,
  PageMeta: PAGE_META,
  WalkPage: WALK_PAGE,
  WalkMeta: WALK_META,
  Having: HAVING,
  ResultsMeta: RESULTS_META,
  Error: ERROR_SCHEMA,
  ErrorDetail: ERROR_DETAIL_SCHEMA,
});

const parametersOf = (app: AppView): Record<string, JsonObject> => ({
  ...LIST_PARAMETER_COMPONENTS,
  ...WRITE_PARAMETER_COMPONENTS,
  ...SHAPE_PARAMETER_COMPONENTS,
  ...ADMIN_PARAMETERS,
  ...Object.assign({}, ...[...app.entities.values()].filter(({ can }) => can.read).map((view) => entityParameters(app, view))),
});

type Components = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;

/** Only what a path leads to: nothing is described that nobody can ask for. */
function* usedComponents(paths: Paths, all: Components): Generator<undefined, JsonObject, undefined> {
  const used = new Map<string, JsonObject>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, part] of Object.entries(node)) {
      if (key === '$ref' && typeof part === 'string') follow(part);
      else walk(part);
    }
  };
  const follow = (pointer: string): void => {
    const [, , kind = '', name = ''] = pointer.split('/');
    const found = all[kind]?.[name];
    if (found === undefined || used.has(`${kind}/${name}`)) return;
    used.set(`${kind}/${name}`, found);
    walk(found);
  };
  for (const item of Object.values(paths)) {
    walk(item);
    yield;
  }
  return Object.fromEntries(
    Object.keys(all).flatMap((kind) => {
      const named = Object.keys(all[kind] ?? {}).flatMap((name) => {
        const found = used.get(`${kind}/${name}`);
        return found === undefined ? [] : [[name, found] as const];
      });
      return named.length === 0 ? [] : [[kind, Object.fromEntries(named)]];
    }),
  );
}
