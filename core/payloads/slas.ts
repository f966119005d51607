import { z } from 'zod';

const record = z.record(z.string(), z.json());

/** One change of a record in a trial; the record before it is that of the change before, unless `old` says another. */
const trialEvent = z.strictObject({
  at: z.iso.datetime({ offset: true }),
  action: z.enum(['create', 'update', 'delete', 'restore']).optional(),
  record: record.nullable(),
  old: record.nullable().optional(),
});

/** A definition, or the name of one, against changes that are given or those of a stored record. */
export const slaTrial = z.strictObject({
  definition: z.union([z.string().min(1).max(100), record]),
  /** In the place of the calendar that the definition names. */
  calendar: record.optional(),
  events: z.array(trialEvent).min(1).max(1000).optional(),
  record_id: z.union([z.string().min(1).max(1000), z.int()]).optional(),
  /** The time to work it out as of; now when left out. */
  now: z.iso.datetime({ offset: true }).optional(),
});
