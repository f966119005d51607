/** The app that is broken: every kind of step, clocks, a webhook, a function after a write; and what a crash-free life of an order leaves. */

export const APP = 'killed';

/** What the clients mean to do with an order, drawn from the seed before it is created. */
export interface Plan {
  readonly code: string;
  readonly amount: number;
  readonly verdict: 'small' | 'approved' | 'rejected';
  /** The target of its clock. */
  readonly withinMs: number;
}

const text = (...names: string[]): object[] => names.map((name) => ({ name, type: 'string' }));
const code = { name: 'code', type: 'string', required: true, unique: true };
/** Not unique on purpose: an effect that happens twice is to be seen. */
const leaveTrace = (what: unknown): object => ({ type: 'create_record', entity: 'trace', fields: { order: 'record.code', what } });
const set = (field: string, value: unknown): object => ({ type: 'set_field', field, value });
const action = (id: string, actions: object[], then = 'end'): object => ({ id, type: 'action', actions, then });
const trace = (id: string, then = 'end'): object => action(id, [leaveTrace(id)], then);

/** A new kind of step goes here, and what it leaves into `expectedTraces`. */
const FULFIL = [
  { id: 'look', type: 'condition', expression: 'record.amount > 100', on_true: 'big', on_false: 'small' },
  trace('small', 'mark'),
  trace('big', 'sign'),
  {
    id: 'sign',
    type: 'approval',
    assignee: { type: 'role', role: 'lead' },
    quorum: 2,
    on_approve: 'approved',
    on_reject: 'rejected',
  },
  trace('approved', 'mark'),
  action('rejected', [leaveTrace('rejected'), set('state', 'rejected')]),
  action(
    'mark',
    [set('mark', 'seen'), { type: 'email', to: 'record.mail', subject: 'About {{record.code}}', text: 'It goes on.' }],
    'pause',
  ),
  { id: 'pause', type: 'wait', duration: '3s', then: 'split' },
  {
    id: 'split',
    type: 'parallel',
    branches: [{ steps: [trace('left')] }, { steps: [{ id: 'breathe', type: 'wait', duration: '1s', then: 'right' }, trace('right')] }],
    then: 'each',
  },
  {
    id: 'each',
    type: 'foreach',
    items: 'context.items',
    as: 'item',
    concurrency: 2,
    steps: [action('item', [leaveTrace({ expression: "'item-' & context.item" })])],
    then: 'part',
  },
  { id: 'part', type: 'subprocess', workflow: 'packing', record_id: 'record.id', then: 'pay' },
  {
    id: 'pay',
    type: 'wait',
    event: 'payment',
    match: 'event.data.order = record.code',
    timeout: '1h',
    on_timeout: 'end',
    then: 'paid',
  },
  action('paid', [leaveTrace('paid'), set('state', 'done')]),
];

const ALWAYS = ['function', 'left', 'right', 'item-1', 'item-2', 'item-3', 'packed', 'paid'];

/** What the run and the function leave; the clock's traces depend on when it ended. */
export function expectedTraces({ verdict }: Plan): string[] {
  if (verdict === 'rejected') return ['function', 'big', 'rejected'];
  return [...ALWAYS, ...(verdict === 'small' ? ['small'] : ['big', 'approved'])];
}

export const endState = ({ verdict }: Plan): string => (verdict === 'rejected' ? 'rejected' : 'done');
/** Created, marked, ended. */
export const endVersion = ({ verdict }: Plan): number => (verdict === 'rejected' ? 2 : 3);

const WORKFLOWS = [
  { name: 'fulfil', trigger: { type: 'record_created', entity: 'order' }, context: { items: ['1', '2', '3'] }, steps: FULFIL },
  {
    name: 'packing',
    trigger: { type: 'manual', entity: 'order' },
    steps: [{ id: 'fold', type: 'wait', duration: '500ms', then: 'packed' }, trace('packed')],
  },
  {
    name: 'payer',
    trigger: { type: 'webhook' },
    steps: [action('send', [{ type: 'send_event', event: 'payment', data: { order: 'trigger.body.order' } }])],
  },
  {
    name: 'ring',
    trigger: { type: 'record_created', entity: 'bell' },
    steps: [{ id: 'until', type: 'wait', until: 'record.due', then: 'ring' }, trace('ring')],
  },
].map((workflow) => ({ id: workflow.name, ...workflow }));

const SLAS = [
  {
    name: 'finish',
    entity: 'order',
    start: "record.state = 'new'",
    stop: "record.state in ['done', 'rejected']",
    target: 'record.within',
    on_breach: [leaveTrace('breach')],
  },
  {
    name: 'toll',
    entity: 'bell',
    start: "record.state = 'new'",
    stop: "record.state = 'rung'",
    target: 'record.within',
    on_breach: [leaveTrace('toll'), set('state', 'rung')],
  },
];

export const documentFor = (hook: string): object => ({
  entities: [
    { name: 'order', fields: [code, { name: 'amount', type: 'int' }, ...text('state', 'mark', 'within', 'mail')] },
    { name: 'trace', fields: text('order', 'what') },
    { name: 'bell', fields: [code, ...text('state', 'within'), { name: 'due', type: 'timestamp' }] },
    { name: 'note', fields: [code] },
  ],
  roles: [{ name: 'lead' }],
  permissions: [{ entity: '*', action: 'read', roles: ['lead'] }],
  workflows: WORKFLOWS,
  slas: SLAS,
  functions: [
    {
      name: 'after',
      entity: 'order',
      on: 'after_create',
      function: 'create_records',
      params: { entity: 'trace', records: [{ order: 'record.code', what: 'function' }] },
    },
  ],
  // A dead worker's attempts must not pause the endpoint here: it is the deliveries that are looked at.
  webhooks: [
    {
      name: 'all',
      entity: '*',
      url: hook,
      concurrency: 16,
      break_after: 1000,
      retry: { max_attempts: 50, backoff: 'fixed', initial: '1s' },
    },
  ],
});
