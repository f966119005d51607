import { describe, expect, it } from 'vitest';
import { rewritePath } from '../../api/rewrites.ts';

const rewritten = (path: string, tenant?: string): string => {
  const query = new URLSearchParams();
  const result = rewritePath(path.split('/'), tenant, query).join('/');
  return query.size === 0 ? result : `${result}?${query.toString()}`;
};

describe('the URL forms of the founding documents', () => {
  it.each([
    ['projects', '_platform/apps'],
    ['projects/acme', '_platform/apps/acme'],
    ['projects/acme/views/open', 'acme/_views/open'],
    ['projects/acme/data/book', 'acme/book'],
    ['projects/acme/data/book/7', 'acme/book/7'],
    ['projects/acme/realtime/collections/book', 'acme/_events?entities=book'],
    ['projects/acme/_admin/entities', 'acme/_admin/entities'],
    ['v1/acme/book', 'acme/book'],
    ['v1/acme/book/7', 'acme/book/7'],
    ['v1/book', 'book'],
    ['platform/auth/login', '_platform/auth/login'],
    ['platform/tenants/acme', '_platform/apps/acme'],
    ['control-plane/tenants', '_platform/apps'],
  ])('%s means %s', (from, to) => {
    expect(rewritten(from)).toBe(to);
  });

  it('under v1 with X-Tenant-Id the path holds no app, unless it names the same one', () => {
    expect(rewritten('v1/book', 'acme')).toBe('acme/book');
    expect(rewritten('v1/book/7', 'acme')).toBe('acme/book/7');
    expect(rewritten('v1/acme/book/7', 'acme')).toBe('acme/book/7');
  });

  it('leaves every other path alone', () => {
    expect(rewritten('acme/projects/7')).toBe('acme/projects/7');
    expect(rewritten('_platform/apps')).toBe('_platform/apps');
  });
});
