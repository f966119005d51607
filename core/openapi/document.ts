/**
 * The OpenAPI 3.1 description of one app for one caller, made from the model. Pure: the same model and rights give the same
 * text, and what the caller may not read or do is in no path, schema, enum or example.
 */
import type { AppModel } from '../model/model.ts';
import { authPaths, AUTH_SCHEMAS } from './auth-paths.ts';
import { entitySchemas } from './entity-schemas.ts';
import type { JsonObject, Schema } from './json.ts';
import { entityParameters, LIST_PARAMETER_COMPONENTS } from './list-parameters.ts';
import { batchPath, RESULTS_META } from './many-paths.ts';
import { HAVING } from './reading-paths.ts';
import { PAGE_META, recordPaths, WALK_META, WALK_PAGE } from './record-paths.ts';
import {
  data,
  ERROR_DETAIL_SCHEMA,
  ERROR_SCHEMA,
  errorResponses,
  errorsOf,
  HEADERS,
  jsonAnswer,
  WRITE_PARAMETER_COMPONENTS,
  type Paths,
} from './responses.ts';
import { viewOf, type ApiCaller, type AppView } from './view.ts';
import { WORKFLOW_SCHEMAS, workflowPaths } from './workflow-paths.ts';

export interface ApiSubject {
  readonly name: string;
  readonly displayName: string;
  readonly version: number;
  readonly model: AppModel;
  readonly caller: ApiCaller;
}

export function describeApi(subject: ApiSubject): JsonObject {
  const app = viewOf(subject.model, subject.caller);
  const base = `/api/${subject.name}`;
  const paths = pathsOf(app, base);
  const components = usedComponents(paths, {
    schemas: schemasOf(app),
    parameters: parametersOf(app),
    responses: errorResponses(),
    headers: HEADERS,
  });
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

const tagsOf = (app: AppView): JsonObject[] => [
  ...[...app.entities.values()].map(({ entity }): JsonObject => ({
    name: entity.name,
    description: entity.definition.description ?? `Records of ${entity.name.replaceAll('_', ' ')}.`,
  })),
  { name: 'batch', description: 'Writes over several entities.' },
  ...(app.model.workflows.length === 0 ? [] : [{ name: 'workflows', description: 'Runs of workflows and their tasks.' }]),
  { name: 'auth', description: 'Signing in and out.' },
  { name: 'description', description: 'What this app holds.' },
];

const pathsOf = (app: AppView, base: string): Paths => ({
  ...Object.assign({}, ...[...app.entities.values()].map((view) => recordPaths(app, view, base))),
  ...batchPath(app, base),
  ...workflowPaths(app, base),
  ...authPaths(base),
  [`${base}/_discovery`]: {
    get: {
      tags: ['description'],
      operationId: 'discovery',
      summary: 'Entities, fields, relations and rights of the caller',
      responses: {
        '200': jsonAnswer({
          description: 'The description.',
          schema: data({ type: 'object' }),
          headers: { ETag: { $ref: '#/components/headers/ETag' } },
        }),
        ...errorsOf([401, 403, 404, 405, 429, 500, 503]),
      },
    },
  },
});

const schemasOf = (app: AppView): Record<string, Schema> => ({
  ...Object.assign({}, ...[...app.entities.values()].map((view) => entitySchemas(app, view))),
  ...WORKFLOW_SCHEMAS,
  ...AUTH_SCHEMAS,
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
  ...Object.assign({}, ...[...app.entities.values()].filter(({ can }) => can.read).map((view) => entityParameters(app, view))),
});

type Components = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;

/** Only what a path leads to: nothing is described that nobody can ask for. */
function usedComponents(paths: Paths, all: Components): JsonObject {
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
  walk(paths);
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
