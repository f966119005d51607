/** Functions that reach out of the write: they are only described here; operations/functions performs them after the commit. */
import { z } from 'zod';
import { defined, type FunctionSpec } from './function.ts';

const address = z
  .string()
  .regex(/^https?:\/\/\S+$/i, 'must be an http or https address')
  .max(2_000);
const headers = z
  .record(z.string().max(200), z.string().max(4_000))
  .default({})
  .describe('Further headers; values may hold {{secret.NAME}}.');
const fields = z.record(z.string(), z.json());

const createRecords = defined({
  name: 'create_records',
  kind: 'hook',
  summary: 'Creates records as the system: all of them or none.',
  parameters: {
    entity: z.string().min(1).max(63).describe('The entity.'),
    records: z.array(fields).min(1).max(1_000).describe('Their fields; at most 50 in one run.'),
  },
  returns: 'json',
  errors: ['what a write of such a record is refused with', 'more than 50 record operations'],
  examples: [],
});

const updateRecords = defined({
  name: 'update_records',
  kind: 'hook',
  summary: 'Changes records as the system: those a filter finds, as a list of the API would.',
  parameters: {
    entity: z.string().min(1).max(63).describe('The entity.'),
    filter: z.record(z.string(), z.json()).describe('Fields and what they must equal, or be one of.'),
    fields: fields.describe('What they get; at most 50 records in one run.'),
  },
  returns: 'json',
  errors: ['what a write of such a record is refused with', 'more than 50 record operations'],
  examples: [],
});

const findRecords = defined({
  name: 'find_records',
  kind: 'hook',
  summary: 'Reads records as the system; for later steps of a workflow, and to be tried.',
  parameters: {
    entity: z.string().min(1).max(63).describe('The entity.'),
    filter: z.record(z.string(), z.json()).default({}).describe('Fields and what they must equal, or be one of.'),
    limit: z.int().min(1).default(100).describe('At most 1,000.'),
  },
  returns: 'json',
  errors: ['more than 1,000 rows'],
  examples: [],
});

const httpRequest = defined({
  name: 'http_request',
  kind: 'integration',
  summary: 'Calls other servers. Every call carries an idempotency-key that stays the same when the run is tried again.',
  parameters: {
    url: z.union([address, z.array(address).min(1).max(100)]).describe('The address, or several; at most 10 calls in one run.'),
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST').describe('The method.'),
    headers,
    body: z.json().optional().describe('Sent as JSON.'),
  },
  returns: 'json',
  errors: ['an address that may not be reached', 'an answer other than 2xx', 'no answer'],
  examples: [],
  secrets: ['headers'],
});

const sendWebhook = defined({
  name: 'send_webhook',
  kind: 'integration',
  summary: 'Posts the change, or a body of your own, to an address. For signed and ordered deliveries define a webhook.',
  parameters: {
    url: z.union([address, z.array(address).min(1).max(100)]).describe('The address, or several; at most 10 calls in one run.'),
    headers,
    body: z.json().optional().describe('Instead of {event, entity, record, old}, which is without hidden fields.'),
  },
  returns: 'json',
  errors: ['an address that may not be reached', 'an answer other than 2xx', 'no answer'],
  examples: [],
  secrets: ['headers'],
});

const slackMessage = defined({
  name: 'slack_message',
  kind: 'integration',
  summary: 'A message to an incoming webhook of Slack, Mattermost or the like.',
  parameters: {
    url: z.string().min(1).max(2_000).describe('The address of the incoming webhook; better {{secret.NAME}}.'),
    text: z.string().min(1).max(4_000).describe('The message.'),
    channel: z.string().max(100).optional().describe("Another channel than the webhook's own."),
  },
  returns: 'json',
  errors: ['an address that may not be reached', 'an answer other than 2xx', 'no answer'],
  examples: [],
  secrets: ['url'],
});

const mailAddress = z.string().min(3).max(254);

const sendEmail = defined({
  name: 'send_email',
  kind: 'integration',
  summary: 'Sends a mail from the address of this installation, a mail of its own to each receiver.',
  parameters: {
    to: z.union([mailAddress, z.array(mailAddress).min(1).max(100)]).describe('Who gets it; at most 5 in one run.'),
    subject: z.string().min(1).max(200).describe('The subject.'),
    text: z.string().min(1).max(100_000).describe('The text.'),
  },
  returns: 'json',
  errors: ['no email address', 'more than 5 mails'],
  examples: [],
});

export const REACHING: readonly FunctionSpec[] = [
  createRecords,
  updateRecords,
  findRecords,
  httpRequest,
  sendWebhook,
  slackMessage,
  sendEmail,
];
