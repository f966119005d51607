/**
 * The URL forms of the founding documents, each onto the one route that means the same. `:x` is one segment, `*` is the rest.
 * The first line that fits wins; `tenant` lines need an X-Tenant-Id header, whose value is `:tenant`.
 */
export interface Rewrite {
  readonly from: string;
  readonly to: string;
  readonly tenant?: true;
  /** Added to the query. */
  readonly query?: Readonly<Record<string, string>>;
}

export const REWRITES: readonly Rewrite[] = [
  { from: 'projects', to: '_platform/apps' },
  { from: 'projects/:app', to: '_platform/apps/:app' },
  { from: 'projects/:app/views/:view', to: ':app/_views/:view' },
  { from: 'projects/:app/views/:view/*', to: ':app/_views/:view/*' },
  { from: 'projects/:app/data/:entity', to: ':app/:entity' },
  { from: 'projects/:app/data/:entity/*', to: ':app/:entity/*' },
  { from: 'projects/:app/realtime/collections/:entity', to: ':app/_events', query: { entities: ':entity' } },
  { from: 'projects/:app/collections/:entity/*', to: ':app/:entity/*' },
  { from: 'projects/:app/collections/:entity', to: ':app/:entity' },
  { from: 'projects/:app/*', to: ':app/*' },
  { from: 'v1/:tenant/*', to: ':tenant/*', tenant: true },
  { from: 'v1/*', to: ':tenant/*', tenant: true },
  { from: 'v1/*', to: '*' },
  { from: 'platform/tenants', to: '_platform/apps' },
  { from: 'platform/tenants/*', to: '_platform/apps/*' },
  { from: 'platform/*', to: '_platform/*' },
  { from: 'control-plane/tenants', to: '_platform/apps' },
  { from: 'control-plane/tenants/*', to: '_platform/apps/*' },
  { from: 'control-plane/*', to: '_platform/*' },
];

interface Compiled {
  readonly rewrite: Rewrite;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

const byFirst = new Map<string, Compiled[]>();
for (const rewrite of REWRITES) {
  const from = rewrite.from.split('/');
  const first = from[0] ?? '';
  byFirst.set(first, [...(byFirst.get(first) ?? []), { rewrite, from, to: rewrite.to.split('/') }]);
}

/** The canonical path, or the one given when no line fits. Adds to `query` what the line says. */
export function rewritePath(path: readonly string[], tenant: string | undefined, query: URLSearchParams): readonly string[] {
  const candidates = byFirst.get(path[0] ?? '');
  if (candidates === undefined) return path;
  for (const candidate of candidates) {
    const captured = match(candidate, path, tenant);
    if (captured === undefined) continue;
    for (const [name, wanted] of Object.entries(candidate.rewrite.query ?? {})) query.set(name, fill(wanted, captured));
    return candidate.to.flatMap((segment) => (segment === '*' ? captured.rest : [fill(segment, captured)]));
  }
  return path;
}

interface Captured {
  readonly names: ReadonlyMap<string, string>;
  readonly rest: readonly string[];
}

const fill = (segment: string, captured: Captured): string => (segment.startsWith(':') ? (captured.names.get(segment) ?? '') : segment);

function match({ rewrite, from }: Compiled, path: readonly string[], tenant: string | undefined): Captured | undefined {
  if (rewrite.tenant === true && tenant === undefined) return undefined;
  const names = new Map<string, string>(tenant === undefined ? [] : [[':tenant', tenant]]);
  for (const [index, pattern] of from.entries()) {
    if (pattern === '*') return path.length > index ? { names, rest: path.slice(index) } : undefined;
    const segment = path[index];
    if (segment === undefined) return undefined;
    // A name that is known already must be the same: `/v1/acme/book` with X-Tenant-Id: acme names the app twice.
    if (pattern.startsWith(':') ? (names.get(pattern) ?? segment) !== segment : pattern !== segment) return undefined;
    if (pattern.startsWith(':')) names.set(pattern, segment);
  }
  return path.length === from.length ? { names, rest: [] } : undefined;
}
