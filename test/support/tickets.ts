/** Deterministic rows for the helpdesk of `helpdesk.ts`: every kind of value, with nulls, quotes and wildcards among them. */
import type { AppRuntime } from '../../operations/context.ts';
import { uuid, type ReadingWorld } from './records.ts';

export const COMPANY = (n: number): string => uuid(0x100 + n);
export const CUSTOMER = (n: number): string => uuid(0x200 + n);
export const TICKET = (n: number): string => uuid(0x1000 + n);
export const COMMENT = (n: number): string => uuid(0x4000 + n);
export const TAG = (n: number): string => uuid(0x300 + n);
export const USER = (n: number): string => uuid(0x700 + n);
export const FILE = uuid(0xf11e);

const TITLES = ["It's broken", '100% sure', 'under_score', 'back\\slash', 'Ünïcode ✓', '', 'alpha', 'ALPHA', 'a,b', '"quoted"', null];
const META = [{ a: 1, tags: ['x', 'y'] }, [], {}, '', 'text', 5, null, { a: 2, deep: { b: [1, 2] } }];

export async function seedHelpdesk(world: ReadingWorld, app: AppRuntime, count = 60): Promise<void> {
  const insert = (entity: string, rows: Record<string, unknown>[]): Promise<void> => world.insert(app, entity, rows);
  await insert('_files', [{ id: FILE, name: 'a.pdf', size: 1234, mime_type: 'application/pdf' }]);
  await insert(
    'company',
    [0, 1, 2].map((n) => ({ id: COMPANY(n), name: ['Acme', 'Beta', 'Acorn'][n], region: ['north', 'south', 'north'][n] })),
  );
  await insert(
    'customer',
    [0, 1, 2, 3].map((n) => ({
      id: CUSTOMER(n),
      name: `Customer ${n}`,
      slug: `customer-${n}`,
      email: `c${n}@example.com`,
      user_id: USER(n),
      company_id: n === 3 ? null : COMPANY(n),
    })),
  );
  await insert(
    'tag',
    [0, 1, 2].map((n) => ({ id: TAG(n), label: `tag${n}` })),
  );
  await insert(
    'ticket',
    Array.from({ length: count }, (_, n) => ({
      id: TICKET(n),
      title: TITLES[n % TITLES.length],
      body: n % 4 === 0 ? null : `body ${n}`,
      status: ['open', 'closed', 'held', null][n % 4],
      priority: n % 7 === 0 ? null : (n % 5) + 1,
      views: String(9_007_199_254_740_990n + BigInt(n)),
      score: n % 6 === 0 ? null : n / 3,
      price: n % 5 === 0 ? null : `${n}.50`,
      urgent: [true, false, null][n % 3],
      due_on: n % 8 === 0 ? null : `2026-06-${String((n % 28) + 1).padStart(2, '0')}`,
      opens_at: `${String(n % 24).padStart(2, '0')}:30`,
      created_at: new Date(Date.UTC(2026, 5, 1 + (n % 20), n % 24, 0, 0, n)).toISOString(),
      meta: META[n % META.length] === null ? null : JSON.stringify(META[n % META.length]),
      attachment: n % 10 === 0 ? FILE : null,
      secret_note: n % 2 === 0 ? `secret ${n}` : null,
      owner_id: USER(n % 4),
      link: 'https://example.com/',
      customer_id: n % 9 === 0 ? null : CUSTOMER(n % 4),
      parent_id: n > 10 && n % 3 === 0 ? TICKET(n - 10) : null,
      deleted_at: n % 15 === 14 ? '2026-06-10T00:00:00Z' : null,
    })),
  );
  await insert(
    'comment',
    Array.from({ length: count }, (_, n) => ({
      id: COMMENT(n),
      text: `comment ${n}`,
      is_internal: n % 3 === 0,
      ticket_id: TICKET(n % 20),
      deleted_at: n % 7 === 6 ? '2026-06-10T00:00:00Z' : null,
    })),
  );
  await insert(
    'ticket_tag',
    Array.from({ length: 20 }, (_, n) => ({ ticket_id: TICKET(n), tag_id: TAG(n % 3) })),
  );
}
