/**
 * Scopes: what an API key may be used for, on top of what its account or roles may do. A scope never grants; it only leaves
 * less. `accessFor` asks for entities and the routes ask for parts of the API, so no clause of a request can pass by.
 */
import type { RecordAction, Scopes } from './access.ts';

const SCOPE = /^(\*|_?[a-z][a-z0-9_]{0,61}):(\*|read|write|create|update|delete)$/;
/** The same as text, for whoever describes it. */
export const SCOPE_FORM = SCOPE.source;
export const MAX_SCOPES = 100;

/** Undefined when the scope is well formed, else what is wrong with it. */
export function scopeProblem(scope: string): string | undefined {
  const match = SCOPE.exec(scope);
  if (match === null) return 'must look like "ticket:read", "ticket:*", "*:read" or "_workflows:write"';
  const isPart = match[1]?.startsWith('_') === true;
  if (isPart && !['*', 'read', 'write'].includes(match[2] ?? '')) return 'may only read, write or * where the name begins with "_"';
  return undefined;
}

const WRITES: readonly RecordAction[] = ['create', 'update', 'delete'];

/** `write` means create, update and delete; a scope that is not well formed allows nothing. */
export function compileScopes(scopes: readonly string[]): Scopes {
  const records = new Set<string>();
  const parts = new Set<string>();
  for (const scope of scopes) {
    const match = scopeProblem(scope) === undefined ? SCOPE.exec(scope) : null;
    if (match === null) continue;
    const [, name = '', action = ''] = match;
    if (name.startsWith('_')) for (const one of action === '*' ? ['read', 'write'] : [action]) parts.add(`${name}:${one}`);
    else for (const one of action === '*' ? ['read', ...WRITES] : action === 'write' ? WRITES : [action]) records.add(`${name}:${one}`);
  }
  return {
    key: [...records, ...parts].sort().join(' '),
    allowsRecords: (entity, action) => records.has(`${entity}:${action}`) || records.has(`*:${action}`),
    allowsPart: (part, action) => parts.has(`${part}:${action}`),
  };
}
