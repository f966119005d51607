import type { DocumentInput } from '../../document/types.ts';

/**
 * A workflow definition as the builder edits it. Its steps are drafts: what they hold is judged by the same code that publishes them,
 * so their types say only what the builder goes by.
 */
export type Raw = Readonly<Record<string, unknown>>;

export const STEP_KINDS = ['action', 'condition', 'approval', 'wait', 'parallel', 'foreach', 'subprocess'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export interface Step extends Raw {
  readonly id: string;
  readonly type: StepKind;
  readonly name?: string;
}

export const TRIGGERS = [
  'record_created',
  'record_updated',
  'record_deleted',
  'state_change',
  'event',
  'schedule',
  'webhook',
  'manual',
] as const;
export type TriggerKind = (typeof TRIGGERS)[number];

export interface Trigger extends Raw {
  readonly type: TriggerKind;
  readonly entity?: string;
}

export interface Workflow {
  readonly id?: string;
  readonly name: string;
  readonly description?: string;
  readonly trigger: Trigger;
  readonly context: Raw;
  readonly steps: readonly Step[];
  readonly active: boolean;
}

/** Without the part when it is undefined, an empty text or an empty list: what is not said is not there. */
export function withPart<T extends Raw>(of: T, key: string, value: unknown): T {
  const isEmpty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
  const { [key]: _before, ...rest } = of;
  return (isEmpty ? rest : { ...of, [key]: value }) as T;
}

export const textOf = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

export const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value);
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
/** Of a list in a draft: the items that are objects. */
export const rawsOf = (value: unknown): readonly Raw[] => listOf(value).filter(isRaw);

const USUAL_WAIT = '1h';
const first = (id: string): Step => ({ id, type: 'wait', duration: USUAL_WAIT });

/** A new step that does as little as its kind may; `free` gives ids that no other step has. */
export function emptyStep(kind: StepKind, free: (base: string) => string): Step {
  const id = free(kind);
  switch (kind) {
    case 'action':
      return { id, type: kind, actions: [] };
    case 'condition':
      return { id, type: kind, expression: 'true' };
    case 'approval':
      return { id, type: kind };
    case 'wait':
      return { id, type: kind, duration: USUAL_WAIT };
    case 'parallel':
      return {
        id,
        type: kind,
        join: 'all',
        branches: [{ steps: [first(free('branch_a'))] }, { steps: [first(free('branch_b'))] }],
      };
    case 'foreach':
      return { id, type: kind, items: 'context.items', as: 'item', steps: [first(free('each'))] };
    case 'subprocess':
      return { id, type: kind, workflow: '' };
  }
}

export const emptyWorkflow = (name: string, entity: string | undefined): Workflow => ({
  name,
  trigger: entity === undefined ? { type: 'manual' } : { type: 'record_created', entity },
  context: {},
  steps: [{ id: 'review', type: 'approval' }],
  active: true,
});

/** Of a document, as drafts. */
export const workflowsOf = ({ workflows = [] }: DocumentInput): readonly Workflow[] => workflows as unknown as readonly Workflow[];
