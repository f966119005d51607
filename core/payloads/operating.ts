/** What operators ask of runs. */
import { z } from 'zod';
import { processActionSchema } from '../model/workflow-document.ts';

const short = z.string().min(1).max(200);

/** Which of a run's failed steps is meant: it must be said where there are several. */
const failedStep = {
  step: short.optional().describe('The failed step that is meant.'),
  strand: short.optional().describe('Its strand, as `current_steps` of the run names it.'),
};

/** What a retry may edit before: the context of the run, and actions of the failed step, by their number from 0. */
export const retryPayload = z
  .strictObject({
    context: z.record(short, z.json()).optional(),
    actions: z.record(z.string().regex(/^\d{1,3}$/, 'must be the number of an action, from 0'), processActionSchema).optional(),
    ...failedStep,
  })
  .prefault({});

export const skipPayload = z.strictObject(failedStep).prefault({});

export const rewindPayload = z.strictObject({ to: short, comment: z.string().max(10_000).optional() });

export const OPERATIONS = ['retry', 'skip', 'cancel'] as const;

/** One thing done to many runs: those that are stuck, unless `status` says otherwise. */
export const operatePayload = z.strictObject({
  action: z.enum(OPERATIONS),
  ...failedStep,
  filter: z
    .strictObject({
      workflow: short.optional(),
      step: short.optional(),
      error_contains: short.optional(),
      /** Started at that moment or after it. */
      since: z.string().max(40).optional(),
      status: z.enum(['stuck', 'running']).optional(),
    })
    .prefault({}),
  dry_run: z.boolean().default(false),
});

export const retryStartsPayload = z.strictObject({ ids: z.array(z.string().min(1).max(1_000)).min(1).max(1_000).optional() }).prefault({});
