/**
 * Every kind of change on a running app, phase by phase: clients of both versions create, read, change, find and delete, and are refused
 * what their version refuses, with records there before, beside a migration that is held, called off, taken back and ended.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { Changing } from './changing.ts';
import { catalogue } from './footprint.ts';
import { heldWorld, type HeldWorld } from './held-world.ts';
import { KINDS, type Kind } from './kinds.ts';

let world: HeldWorld;
beforeAll(async () => {
  world = await heldWorld();
});

describe.each(KINDS)('$name', (kind: Kind) => {
  let change: Changing;
  beforeAll(async () => {
    change = new Changing(world, kind);
    await change.start();
  });

  it('disturbs nobody before the switch, and leaves nothing when it is called off', async () => {
    const before = await catalogue(world.pool, change.storage, false);
    await change.servesOld();
    const id = await change.publish(['expand', 'backfill', 'verify']);
    for (;;) {
      const { phase } = await world.until(change.app, id, ({ status }) => status === 'paused');
      await change.servesOld();
      // What is read through is served before the switch, too: see test/api/early-shape.test.ts.
      if (!isReadThrough(kind)) await change.refuses(change.latest);
      if (phase === lastBeforeSwitch(kind)) break;
      await change.say(id, 'resume');
      await world.until(change.app, id, (now) => now.status === 'paused' && now.phase !== phase);
    }
    await change.say(id, 'abort');
    await world.until(change.app, id, ({ status }) => status === 'aborted');
    expect(await catalogue(world.pool, change.storage, false)).toBe(before);
    await change.servesOld();
  });

  it('is served beside what was there before', async () => {
    await change.publish();
    await change.servesBoth();
  });

  if (kind.class === 'breaking') {
    it('is taken back in its grace, with what was written meanwhile', async () => {
      const taken = change.latest;
      await change.rollBack();
      await change.servesBothAgain(taken);
      await change.endAll();
      await change.servesOld();
      change.startsFrom(change.latest);
    });

    it('stands alone after its contract, and after its retention', async () => {
      const id = await change.publish();
      await change.servesBoth();
      await change.say(id, 'contract');
      await world.until(change.app, id, ({ waiting_for: reason }) => reason !== null);
      await change.servesNew();
      await change.refuses(1);
      await change.say(id, 'contract', { drop: true });
      await world.until(change.app, id, ({ status }) => status === 'completed');
      await change.servesNew();
    });
  }
});

const isReadThrough = ({ isVerified, migrate = [] }: Kind): boolean =>
  isVerified === true || migrate.some((one) => ['convert', 'fill', 'transform'].some((verb) => verb in one));

const regroups = ({ migrate = [] }: Kind): boolean => migrate.some((one) => 'split' in one || 'merge' in one);

const lastBeforeSwitch = (kind: Kind): string => (isReadThrough(kind) || regroups(kind) ? 'verify' : 'expand');

it('steps that ran twice changed nothing the second time', () => {
  expect(world.unrepeatable).toEqual([]);
});
