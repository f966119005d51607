/** An attachment as its form holds it. */
import type { FunctionAttachment, FunctionEvent } from '../../../../core/model/document.ts';
import { readList, readLoose } from '../../ui/json.ts';

export type Attachment = FunctionAttachment;
export type { FunctionEvent };

export const EVENTS: readonly FunctionEvent[] = [
  'before_create',
  'after_create',
  'before_update',
  'after_update',
  'before_delete',
  'after_delete',
  'field_change',
];

/** A function of the registry, as `_admin/functions` describes it. */
export interface RegistryFunction {
  readonly name: string;
  readonly kind: 'validator' | 'transform' | 'hook' | 'integration';
  readonly summary: string;
  readonly runs: 'in_the_write' | 'after_the_commit';
  readonly parameters: {
    readonly properties?: Readonly<Record<string, { readonly description?: string; readonly type?: string }>>;
    readonly required?: readonly string[];
  };
  readonly returns: string;
  readonly errors: readonly string[];
  readonly examples: readonly { readonly params: Readonly<Record<string, unknown>>; readonly result: unknown }[];
}

export interface AttachmentDraft {
  readonly name: string;
  readonly entity: string;
  readonly on: readonly FunctionEvent[];
  readonly isScript: boolean;
  readonly function: string;
  readonly script: string;
  readonly field: string;
  readonly into: string;
  /** As typed; empty ones are left out. */
  readonly params: Readonly<Record<string, string>>;
  readonly when: string;
  readonly message: string;
  readonly priority: string;
  readonly active: boolean;
  readonly async: boolean;
  readonly log: boolean;
  readonly tests: string;
}

export const emptyAttachment = (entity: string, name: string): AttachmentDraft => ({
  name: '',
  entity,
  on: ['before_create', 'before_update'],
  isScript: false,
  function: name,
  script: '',
  field: '',
  into: '',
  params: {},
  when: '',
  message: '',
  priority: '100',
  active: true,
  async: false,
  log: false,
  tests: '',
});

const paramText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

export const attachmentDraftOf = (attachment: Attachment): AttachmentDraft => ({
  name: attachment.name,
  entity: attachment.entity,
  on: Array.isArray(attachment.on) ? attachment.on : [attachment.on],
  isScript: attachment.script !== undefined,
  function: attachment.function ?? '',
  script: attachment.script ?? '',
  field: attachment.field ?? '',
  into: attachment.into ?? '',
  params: Object.fromEntries(Object.entries(attachment.params).map(([name, value]) => [name, paramText(value)])),
  when: attachment.when ?? '',
  message: attachment.message ?? '',
  priority: String(attachment.priority),
  active: attachment.active,
  async: attachment.async === true,
  log: attachment.log,
  tests: attachment.tests.length === 0 ? '' : JSON.stringify(attachment.tests, null, 2),
});

export const paramsOf = ({ params }: AttachmentDraft): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).flatMap(([name, typed]) => (typed === '' ? [] : [[name, readLoose(typed)]])));

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

/** Undefined while the tests are no JSON. Null takes away what the stored form had. */
export function attachmentBodyOf(draft: AttachmentDraft): Record<string, unknown> | undefined {
  const tests = readList(draft.tests);
  if (tests === undefined) return undefined;
  return {
    name: draft.name.trim(),
    entity: draft.entity,
    on: draft.on.length === 1 ? draft.on[0] : draft.on,
    function: draft.isScript ? null : orNull(draft.function),
    script: draft.isScript ? draft.script : null,
    field: orNull(draft.field),
    into: orNull(draft.into),
    params: draft.isScript ? {} : paramsOf(draft),
    when: orNull(draft.when),
    message: orNull(draft.message),
    priority: /^-?\d+$/.test(draft.priority) ? Number(draft.priority) : draft.priority,
    async: draft.async ? true : null,
    log: draft.log,
    tests,
    active: draft.active,
  };
}
