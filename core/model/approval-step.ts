/** The approval step of a workflow: who decides, when it is decided, and what happens while nobody does. */
import { z } from 'zod';
import { duration, expression } from './parts.ts';

/** A step to go to; `end`, or nothing, ends the run. Stored as the step's id. */
export const goto = z.string().min(1).max(100);

export const assigneeSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('role'), role: z.string().min(1) }),
  /** A user's id or email address. */
  z.strictObject({ type: z.literal('user'), user: z.string().min(1) }),
  /** A path from the record to a user's id or email (`record.agent.email`), read when the task opens. */
  z.strictObject({ type: z.literal('relation'), path: z.string().min(1) }),
  z.strictObject({ type: z.literal('expression'), expression }),
  /**
   * The manager of who caused the run, or of the user at the path `of`: by the accounts' `manager`, or with `via` by a relation
   * of the record at `of`, whose user stands in `key`.
   */
  z.strictObject({
    type: z.literal('manager'),
    of: z.string().min(1).optional(),
    via: z.string().min(1).optional(),
    key: z.string().min(1).optional(),
    /** 2 is the manager's manager. */
    level: z.int().min(1).max(10).optional(),
  }),
]);

/** One, or several who together are asked. */
export const assigneesSchema = z.union([assigneeSchema, z.array(assigneeSchema).min(1).max(20)]);

const quorum = z.union([z.enum(['any', 'all']), z.int().min(1).max(1_000)]);

const groupSchema = z.strictObject({ name: z.string().min(1).max(100).optional(), assignee: assigneesSchema, quorum: quorum.optional() });

const reminderSchema = z.strictObject({
  after: duration.optional(),
  before_due: duration.optional(),
  every: duration.optional(),
  max: z.int().min(1).max(1_000).optional(),
});

const escalationSchema = z.strictObject({
  after: duration,
  to: assigneesSchema,
  /** `add` (default) asks them too; `replace` asks them instead. */
  mode: z.enum(['add', 'replace']).optional(),
});

export const NOTICE_KINDS = ['assigned', 'reminder', 'escalation', 'delegation', 'outcome'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Words of the app's own; `{{record.x}}`, `{{context.x}}`, `{{task.step}}`, `{{task.due_at}}` … are filled in. */
const mailWords = z.strictObject({ subject: z.string().min(1).max(300).optional(), text: z.string().min(1).max(20_000).optional() });
const mailSchema = z.strictObject({
  assigned: mailWords.optional(),
  reminder: mailWords.optional(),
  escalation: mailWords.optional(),
  delegation: mailWords.optional(),
  outcome: mailWords.optional(),
});

const switchable = z.enum(['allowed', 'forbidden']);

export const approvalShape = {
  type: z.literal('approval'),
  /** Nobody named = admins only. */
  assignee: assigneesSchema.optional(),
  /** How many of the assigned have to approve; `any` (one) by default. */
  quorum: quorum.optional(),
  /** Instead of `assignee` and `quorum`: all groups have to be met. */
  groups: z.array(groupSchema).min(1).max(20).optional(),
  order: z.enum(['parallel', 'sequence']).optional(),
  reject: z.enum(['any', 'majority']).optional(),
  timeout: duration.optional(),
  on_approve: goto.optional(),
  on_reject: goto.optional(),
  on_timeout: goto.optional(),
  /** `requester`, or an earlier step. Without it nothing can be sent back. */
  on_send_back: goto.optional(),
  reminders: z.array(reminderSchema).min(1).max(20).optional(),
  escalate: z.array(escalationSchema).min(1).max(20).optional(),
  /** For every decision, or for those listed. */
  comment_required: z.union([z.boolean(), z.array(z.enum(['approve', 'reject', 'send_back'])).min(1)]).default(false),
  /** By default who caused the run does not decide it. */
  allow_self_approval: z.boolean().default(false),
  delegation: switchable.optional(),
  substitution: switchable.optional(),
  /** Words of the app's own, by kind; `false` sends none. */
  mail: z.union([z.literal(false), mailSchema]).optional(),
};

/** What an approval step says beside its id and name. */
export type ApprovalStep = z.infer<z.ZodObject<typeof approvalShape>>;
export type AssigneeDefinition = z.infer<typeof assigneeSchema>;
export type AssigneesDefinition = z.infer<typeof assigneesSchema>;
