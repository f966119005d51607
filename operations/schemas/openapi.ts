/** The OpenAPI description of an app for the caller's roles. */
import { digestOf } from '../../adapters/digest.ts';
import { stringify } from 'yaml';
import { describeApi } from '../../core/openapi/document.ts';
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

/** Made once per schema version, role set and format. */
export function openApiOf(ctx: AppContext, format: 'json' | 'yaml'): Described {
  const kept = ctx.app.memo(CACHE, () => new Map<string, Described>());
  const { isAdmin, roles, scopes } = ctx.actor;
  // What an API key's scopes leave is another description; the separator is in no role and no scope.
  const key = [format, isAdmin ? 'admin' : [...roles].sort().join('\0'), scopes?.key ?? '*'].join('\n');
  let described = kept.get(key);
  if (described === undefined) {
    described = describe(ctx, format);
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value ?? '');
    kept.set(key, described);
  }
  return described;
}

function describe({ app, actor, now }: AppContext, format: 'json' | 'yaml'): Described {
  const document = describeApi({
    name: app.name,
    displayName: app.displayName,
    version: app.version,
    model: app.model,
    caller: { isAdmin: actor.isAdmin, access: (entity, action) => accessFor(app, actor, entity, action, now) },
  });
  const text = format === 'json' ? JSON.stringify(document) : stringify(document, { aliasDuplicateObjects: false });
  return { text, etag: `"${digestOf(`${app.generation}|${text}`).slice(0, 22)}"` };
}
