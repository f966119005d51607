/** The OpenAPI description of an app for the caller's roles. */
import { digestOf } from '../../adapters/digest.ts';
import { definitionSteps } from '../../core/openapi/definition-paths.ts';
import { describeSteps } from '../../core/openapi/document.ts';
import type { JsonObject } from '../../core/openapi/json.ts';
import { yamlPieces } from '../../core/openapi/yaml.ts';
import { accessFor } from '../../core/policy/policy.ts';
import type { AppContext } from '../context.ts';

export interface Described {
  readonly text: string;
  /** Changes with the schema version, the format and what this role set may do. */
  readonly etag: string;
}

const CACHE = {};
/** Descriptions are large, and one role set asks again and again: a few per app and version are enough. */
const MAX_KEPT = 8;
/** How long others wait for a piece of one. */
const PIECE_MS = 5;

/** Made once per schema version, role set and format. */
export async function openApiOf(ctx: AppContext, format: 'json' | 'yaml'): Promise<Described> {
  const kept = ctx.app.memo(CACHE, () => new Map<string, Promise<Described>>());
  const { isAdmin, roles, scopes } = ctx.actor;
  // What an API key's scopes leave is another description; the separator is in no role and no scope.
  const key = [format, isAdmin ? 'admin' : [...roles].sort().join('\0'), scopes?.key ?? '*'].join('\n');
  let described = kept.get(key);
  if (described === undefined) {
    described = describe(ctx, format);
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value ?? '');
    kept.set(key, described);
    described.catch(() => kept.delete(key));
  }
  return described;
}

/** In pieces, between which other requests are answered. */
async function describe({ app, actor, now }: AppContext, format: 'json' | 'yaml'): Promise<Described> {
  if (actor.isAdmin) {
    for (const step of definitionSteps) {
      step();
      await othersFirst();
    }
  }
  const document = await inPieces(
    describeSteps({
      name: app.name,
      displayName: app.displayName,
      version: app.version,
      model: app.model,
      caller: { isAdmin: actor.isAdmin, scopes: actor.scopes, access: (entity, action) => accessFor(app, actor, entity, action, now) },
    }),
  );
  await othersFirst();
  const text = format === 'json' ? JSON.stringify(document) : await yamlText(document);
  return { text, etag: `"${digestOf(`${app.generation}|${text}`).slice(0, 22)}"` };
}

/** Runs steps for a few milliseconds at a time. */
async function inPieces<T>(steps: Generator<unknown, T>): Promise<T> {
  let since = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - since < PIECE_MS) continue;
    await othersFirst();
    since = performance.now();
  }
}

async function yamlText(document: JsonObject): Promise<string> {
  const pieces: string[] = [];
  const collect = function* (): Generator<undefined, void, undefined> {
    for (const piece of yamlPieces(document)) {
      pieces.push(piece);
      yield;
    }
  };
  await inPieces(collect());
  return `${pieces.join('').trimStart()}\n`;
}

const othersFirst = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
