/** Reading approval steps: assignees, groups, reminders and escalations, in the spellings people write. */
import { clean, isRaw, isUsed, listOf, mapRaw, synonym, withValue, type Raw, type Reading } from './reading.ts';

const RENAMES = {
  assignees: 'assignee',
  approvers: 'assignee',
  reminder: 'reminders',
  escalation: 'escalate',
  escalations: 'escalate',
  mails: 'mail',
  on_return: 'on_send_back',
} as const;
/** Options that other systems write empty where they are not used, in steps of any type. */
export const APPROVAL_OPTIONS = [
  'assignee',
  'quorum',
  'groups',
  'order',
  'reject',
  'reminders',
  'escalate',
  'on_send_back',
  'delegation',
  'substitution',
];

const QUORUMS = { one: 'any', first: 'any', single: 'any', everyone: 'all', unanimous: 'all', everybody: 'all' } as const;
const SWITCH = { true: 'allowed', false: 'forbidden', yes: 'allowed', no: 'forbidden' } as const;

/** The step as the zod type has it. `goto` reads where it goes. */
export function readApproval(reading: Reading, raw: Raw, path: string, goto: (value: unknown) => unknown): Raw {
  const step = clean(raw, { rename: RENAMES });
  for (const key of ['delegation', 'substitution']) if (raw[key] === false) step[key] = 'forbidden';
  for (const key of APPROVAL_OPTIONS) if (key in step && !isUsed(step[key])) delete step[key];
  return {
    ...step,
    ...withValue('assignee', readAssignees(reading, step['assignee'], `${path}.assignee`)),
    ...withValue('quorum', readQuorum(step['quorum'])),
    ...withValue('groups', readGroups(reading, step['groups'], `${path}.groups`)),
    ...withValue('order', synonym(step['order'], { sequential: 'sequence', serial: 'sequence' })),
    ...withValue('reminders', readReminders(step['reminders'], `${path}.reminders`)),
    ...withValue('escalate', readEscalations(reading, step['escalate'], `${path}.escalate`)),
    ...withValue('on_send_back', goto(step['on_send_back'])),
    ...withValue('comment_required', readCommentRequired(step['comment_required'])),
    ...withValue('delegation', readSwitch(step['delegation'])),
    ...withValue('substitution', readSwitch(step['substitution'])),
    ...withValue('mail', readMail(step['mail'])),
  };
}

export function readAssignees(reading: Reading, raw: unknown, path: string): unknown {
  if (!Array.isArray(raw)) return readAssignee(reading, raw, path);
  const all = raw.map((one: unknown, index) => readAssignee(reading, one, `${path}.${String(index)}`));
  return all.length === 1 ? all[0] : all;
}

function readAssignee(reading: Reading, raw: unknown, path: string): unknown {
  if (typeof raw === 'string') {
    const [kind, ...rest] = raw.split(':');
    if (rest.length === 0) return { type: 'role', role: raw };
    return kind === 'role' ? { type: 'role', role: rest.join(':') } : { type: 'user', user: rest.join(':') };
  }
  if (!isRaw(raw)) return raw;
  const assignee = clean(raw);
  switch (assignee['type']) {
    case 'fixed':
    case 'user':
      return clean({ ...assignee, type: 'user' }, { rename: { user_id: 'user', email: 'user', value: 'user' } });
    case 'relation':
    case 'path':
      return clean({ ...assignee, type: 'relation' }, { rename: { field: 'path', value: 'path' } });
    case 'role':
      return clean(assignee, { rename: { value: 'role', name: 'role' } });
    case 'expression':
      return { ...assignee, ...withValue('expression', reading.expression(`${path}.expression`, assignee['expression'])) };
    case 'manager':
      return clean(assignee, { rename: { path: 'of', relation: 'via', levels: 'level' } });
    default:
      return assignee;
  }
}

function readQuorum(value: unknown): unknown {
  if (typeof value === 'string' && /^\d+$/.test(value)) return Number(value);
  return synonym(value, QUORUMS);
}

const readGroups = (reading: Reading, value: unknown, path: string): unknown =>
  mapRaw(value, path, (raw, at) => {
    const group = clean(raw, { rename: { assignees: 'assignee', approvers: 'assignee', label: 'name' } });
    return {
      ...group,
      ...withValue('assignee', readAssignees(reading, group['assignee'], `${at}.assignee`)),
      ...withValue('quorum', readQuorum(group['quorum'])),
    };
  });

/** `"24h"` is one reminder after a day. */
const readReminders = (value: unknown, path: string): unknown =>
  value === undefined
    ? undefined
    : mapRaw(
        listOf(value).map((one) => (typeof one === 'string' ? { after: one } : one)),
        path,
        (raw) => clean(raw, { rename: { before: 'before_due', repeat: 'every', times: 'max' } }),
      );

/** `{after, add: assignee}` and `{after, replace: assignee}` say the mode by the name. */
const readEscalations = (reading: Reading, value: unknown, path: string): unknown =>
  value === undefined
    ? undefined
    : mapRaw(listOf(value), path, (raw, at) => {
        const { add, replace, ...escalation } = clean(raw, { rename: { assignee: 'to' } });
        const named = isUsed(replace) && replace !== true ? replace : isUsed(add) && add !== true ? add : escalation['to'];
        const mode = isUsed(replace) ? 'replace' : isUsed(add) ? 'add' : escalation['mode'];
        return { ...escalation, ...withValue('to', readAssignees(reading, named, `${at}.to`)), ...withValue('mode', mode) };
      });

const VERBS = { approved: 'approve', rejected: 'reject', sent_back: 'send_back', return: 'send_back' } as const;

const readCommentRequired = (value: unknown): unknown =>
  typeof value === 'string' || Array.isArray(value) ? listOf(value).map((verb) => synonym(verb, VERBS)) : value;

const readSwitch = (value: unknown): unknown => (typeof value === 'boolean' ? SWITCH[`${value}`] : synonym(value, SWITCH));

/** Words for all who are asked, or by kind of mail. */
function readMail(value: unknown): unknown {
  if (!isRaw(value)) return value;
  const mail = clean(value, { rename: { body: 'text', reminders: 'reminder', escalate: 'escalation', delegate: 'delegation' } });
  if (!('subject' in mail) && !('text' in mail)) return mail;
  const { subject, text, ...kinds } = mail;
  const words = { ...withValue('subject', subject), ...withValue('text', text) };
  return { assigned: words, reminder: words, ...kinds };
}
