/** The README's tour as a mix of requests, spelled for either server. */
import type { BenchRequest } from '../lib/http.mjs';

export interface Tour {
  listByPriority(): BenchRequest;
  listByCompany(): BenchRequest;
  get(ticket: string): BenchRequest;
  create(customer: string): BenchRequest;
  /** Its title is too short for the example's rule: 422. */
  refused(customer: string): BenchRequest;
  update(ticket: string, category: string): BenchRequest;
  discovery(): BenchRequest;
}

export interface HelpdeskIds {
  readonly tickets: readonly string[];
  readonly customers: readonly string[];
}

const CATEGORIES = ['bug', 'feature', 'question', 'billing', 'other'];

/** Of twenty requests: 4 lists with a filter, 3 with includes, 6 reads of one, 3 updates, 2 creates, 1 refused create, 1 discovery. */
export function mixOf(tour: Tour, { tickets, customers }: HelpdeskIds): BenchRequest[] {
  return Array.from({ length: 200 }, (_none, round): BenchRequest[] => {
    const ticket = (index: number): string => tickets[(round * 9 + index) % tickets.length]!;
    const customer = customers[round % customers.length]!;
    const update = (index: number): BenchRequest => tour.update(ticket(index), CATEGORIES[(round * 3 + index) % CATEGORIES.length]!);
    return [
      tour.listByPriority(),
      tour.get(ticket(0)),
      tour.create(customer),
      tour.get(ticket(1)),
      tour.listByCompany(),
      update(2),
      tour.get(ticket(3)),
      tour.listByPriority(),
      tour.refused(customer),
      tour.get(ticket(4)),
      tour.listByCompany(),
      update(5),
      tour.listByPriority(),
      tour.get(ticket(6)),
      tour.create(customer),
      tour.discovery(),
      tour.listByCompany(),
      update(7),
      tour.listByPriority(),
      tour.get(ticket(8)),
    ];
  }).flat();
}

const TITLE = 'Printer on fire again';
const DESCRIPTION = 'It burns, and nobody has found the extinguisher yet.';

export function bareTour(token: string): Tour {
  const headers = { authorization: `Bearer ${token}` };
  return {
    listByPriority: () => ({ path: '/tickets?priority=high,critical&per_page=3', headers }),
    listByCompany: () => ({ path: '/tickets?company=%25a%25&per_page=1', headers }),
    get: (ticket) => ({ path: `/tickets/${ticket}`, headers }),
    create: (customer) => ({
      method: 'POST',
      path: '/tickets',
      json: { title: TITLE, description: DESCRIPTION, customer_id: customer },
      headers,
    }),
    refused: (customer) => ({
      method: 'POST',
      path: '/tickets',
      json: { title: 'Hot', description: DESCRIPTION, customer_id: customer },
      headers,
    }),
    update: (ticket, category) => ({ method: 'PATCH', path: `/tickets/${ticket}`, json: { category }, headers }),
    discovery: () => ({ path: '/_discovery', headers }),
  };
}

export function durabaseTour(app: string, token: string): Tour {
  const headers = { authorization: `Bearer ${token}` };
  const tickets = `/api/${app}/ticket`;
  return {
    listByPriority: () => ({
      path: `${tickets}?filter[priority.in]=high,critical&sort=-priority,title&fields=title,status,priority&per_page=3`,
      headers,
    }),
    listByCompany: () => ({ path: `${tickets}?filter[customer.company.like]=%25a%25&include=customer,responses&per_page=1`, headers }),
    get: (ticket) => ({ path: `${tickets}/${ticket}`, headers }),
    create: (customer) => ({
      method: 'POST',
      path: tickets,
      json: { title: TITLE, description: DESCRIPTION, customer_id: customer },
      headers,
    }),
    refused: (customer) => ({
      method: 'POST',
      path: tickets,
      json: { title: 'Hot', description: DESCRIPTION, customer_id: customer },
      headers,
    }),
    update: (ticket, category) => ({ method: 'PATCH', path: `${tickets}/${ticket}`, json: { category }, headers }),
    discovery: () => ({ path: `/api/${app}/_discovery`, headers }),
  };
}
