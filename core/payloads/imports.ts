/** What an import is asked for. */
import { z } from 'zod';
import { isTimeZone } from '../calendar/zone.ts';

const field = z.string().min(1).max(200);
const mapping = z.record(z.string().min(1).max(200), z.string().min(1).max(200).nullable());

export const IMPORT_MODES = ['create', 'update', 'upsert'] as const;
export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;

/** How the rows are taken; may be changed until they are written. */
const taking = {
  mapping: mapping.optional().describe('Column to field; null leaves the column out. What is not said is suggested by the names.'),
  mode: z.enum(IMPORT_MODES).optional().describe('create when left out.'),
  on: z
    .union([field, z.array(field).min(1).max(16)])
    .optional()
    .describe('The unique field, or fields, by which update and upsert find a record; the key when left out.'),
  on_error: z
    .enum(['all_or_nothing', 'skip'])
    .optional()
    .describe('With one bad row nothing is written (the default), or the good rows are.'),
  events: z.enum(['normal', 'none']).optional().describe('none: nothing is started or delivered. For admins.'),
  empty: z.enum(['default', 'null']).optional().describe('An empty cell leaves the field out (the default), or empties it.'),
  trim: z.boolean().optional().describe('Space around a cell is cut; true when left out.'),
  decimal: z.enum(['.', ',']).optional().describe('The sign before a fraction; the other one may group digits.'),
  dates: z.enum(['iso', 'dmy', 'mdy', 'ymd']).optional().describe('The order of day, month and year where a date is not ISO 8601.'),
  time_zone: z
    .string()
    .max(100)
    .refine(isTimeZone, 'must be a time zone like Europe/Berlin')
    .optional()
    .describe('Of times without an offset; UTC when left out.'),
};

/** What an upload may say beside its file. */
export const importPayload = z.strictObject({
  ...taking,
  delimiter: z.enum([',', ';', '\t', 'tab', '|']).optional().describe('Found out when left out.'),
  encoding: z.enum(ENCODINGS).optional().describe('utf-8 unless the file begins with the mark of another.'),
  header: z.boolean().optional().describe('false: the first line is data, and columns are called column_1, column_2, …'),
  file_name: z.string().min(1).max(255).optional(),
  run: z.boolean().optional().describe('Write the rows without waiting to be asked.'),
});

/** Looking at the rows once more, in another way. */
export const recheckPayload = z.strictObject(taking).prefault({});

export const runImportPayload = z.strictObject({ on_error: taking.on_error, events: taking.events }).prefault({});

export type ImportPayload = z.infer<typeof importPayload>;
export type TakingPayload = z.infer<typeof recheckPayload>;
