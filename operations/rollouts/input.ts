/** What a rollout is asked to do: its body, and which app is in which ring. */
import { z } from 'zod';
import { durationMs } from '../../core/duration.ts';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import type { RolloutRing } from '../../workflows/contracts/types.ts';
import { readDescribed } from '../payload.ts';

const LONGEST_BAKE_MS = 30 * 86_400_000;

const bakeSchema = z
  .string()
  .transform((text, ctx) => {
    try {
      return durationMs(text);
    } catch {
      ctx.addIssue({ code: 'custom', message: 'must be a duration like 30m, 4h, 2d or PT30M' });
      return z.NEVER;
    }
  })
  .refine((ms) => ms <= LONGEST_BAKE_MS, 'must be at most 30d');
const percentSchema = z.number().gt(0).lte(100);
const ringSchema = z
  .strictObject({
    name: z.string().min(1).max(60).optional(),
    /** Names of apps. */
    apps: z.array(z.string().max(63)).min(1).max(10_000).optional(),
    /** The share of all apps that has had its turn when this ring is over. */
    percent: percentSchema.optional(),
    bake: bakeSchema.optional(),
  })
  .refine((ring) => (ring.apps === undefined) !== (ring.percent === undefined), 'A ring has either "apps" or "percent".');

const rolloutSchema = z
  .strictObject({
    schema: z.string().min(1).max(200),
    version: z.int().min(1),
    rings: z.array(ringSchema).min(1).max(50).optional(),
    canary: percentSchema.lt(100).optional(),
    max_failures: z.int().min(0).max(1_000_000).default(0),
    parallel: z.int().min(1).max(50).default(5),
    bake: bakeSchema.default(0),
  })
  .refine((rollout) => rollout.rings === undefined || rollout.canary === undefined, {
    message: 'A rollout has "rings" or a "canary", not both.',
    path: ['canary'],
  });

export type RolloutBody = z.output<typeof rolloutSchema>;

export const readRollout = (body: unknown): RolloutBody => readDescribed(rolloutSchema, body, 'a rollout');

export interface Target {
  readonly id: string;
  readonly name: string;
}

export interface Assignment {
  readonly rings: readonly RolloutRing[];
  readonly apps: readonly { readonly app: string; readonly ring: number; readonly position: number }[];
}

/**
 * Each app gets the first ring that wants it; what no ring wants is the last ring, `rest`. Shares are filled in the order of the apps' ids,
 * which are random for good: the same request always chooses the same canaries.
 */
export function assignRings(body: RolloutBody, targets: readonly Target[]): Assignment {
  const asked = body.rings ?? (body.canary === undefined ? [] : [{ name: 'canary', percent: body.canary }]);
  const named = placesOf(asked, targets);
  const open = targets.filter((target) => !named.has(target.id));
  const apps: { app: string; ring: number; position: number }[] = [];
  const put = (app: string, ring: number): void => void apps.push({ app, ring, position: apps.length });
  for (const [ring, { percent }] of asked.entries()) {
    for (const [app, place] of named) if (place === ring) put(app, ring);
    const share = percent === undefined ? 0 : Math.ceil((targets.length * percent) / 100) - apps.length;
    for (const target of open.splice(0, Math.max(0, share))) put(target.id, ring);
  }
  for (const target of open) put(target.id, asked.length);
  const rings = asked.map((ring, index) => ({
    name: ring.name ?? `ring ${index + 1}`,
    bakeMs: ('bake' in ring ? ring.bake : undefined) ?? body.bake,
  }));
  return { rings: open.length === 0 && rings.length > 0 ? rings : [...rings, { name: 'rest', bakeMs: 0 }], apps };
}

/** Apps that rings name, by id. */
function placesOf(rings: readonly { readonly apps?: readonly string[] | undefined }[], targets: readonly Target[]): Map<string, number> {
  const byName = new Map(targets.map((target) => [target.name, target.id]));
  const places = new Map<string, number>();
  const details: ErrorDetail[] = [];
  for (const [ring, { apps = [] }] of rings.entries()) {
    for (const [index, name] of apps.entries()) {
      const id = byName.get(name);
      const message =
        id === undefined ? `no active app "${name}" has this schema` : places.has(id) ? `"${name}" is in a ring already` : undefined;
      if (message !== undefined) details.push({ field: 'rings', rule: 'reference', message, path: `rings.${ring}.apps.${index}` });
      else if (id !== undefined) places.set(id, ring);
    }
  }
  if (details.length > 0) throw new AppError('VALIDATION_FAILED', 'The rollout is not valid.', { details: details.slice(0, 50) });
  return places;
}
