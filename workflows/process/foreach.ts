import { isCancellation, patched } from '@temporalio/workflow';
import type { ForeachStep } from '../../core/model/document.ts';
import type { StrandState } from '../contracts/types.ts';
import { brief } from '../activity-options.ts';
import { local } from './activities.ts';
import { stepFailure } from './failure.ts';
import type { StrandPort } from './ports.ts';
import { newStrand, target } from './state.ts';

/** Progress is shown after so many items, and at the end: a projection for each would cost more than the items. */
const SHOW_EVERY = 10;
/** What a run's context may have at most, as its start has it. */
const MAX_SAVED_CHARACTERS = 64 * 1024;

/** Reads the list once: it is kept with the effects of the run, and strands know their item by its number. */
export async function beginForeach(step: ForeachStep, strand: StrandPort): Promise<void> {
  const count = await local.listItems.executeWithOptions({ ...brief, summary: `${step.id}: list the items` }, [
    { ...strand.scope(), list: step.items, max: step.max, key: itemsKey(strand) },
  ]);
  strand.change({ loop: { count, next: 0, results: [] } });
  await strand.project();
}

const itemsKey = (strand: StrandPort): string => strand.run.effectKey(strand.visit, 'items');

/** One strand for each item, at most `concurrency` at once. */
export async function goThroughItems(step: ForeachStep, strand: StrandPort): Promise<string | null> {
  const { run } = strand;
  const ends = new Map<string, Promise<void>>();
  let failure: unknown;
  const start = (id: string): void => {
    const end = run.goThrough(id).then(
      () => run.changeStrand(id, { ended: 'completed' }),
      (error: unknown) => {
        run.changeStrand(id, { ended: 'failed' });
        if (!(isCancellation(error) && run.isStopped(id))) failure ??= error;
      },
    );
    ends.set(id, end);
  };
  for (const id of run.childrenOf(strand.id)) if (run.strandState(id).ended === undefined) start(id);
  while (!strand.isStopped && failure === undefined) {
    await takeResults(step, strand);
    const { count, next } = loopOf(strand);
    const going = run.childrenOf(strand.id).length;
    if (next >= count && going === 0) return finish(step, strand);
    if (going < step.concurrency && next < count && !run.isContinuationDue) start(openItem(step, strand));
    else await strand.waitFor('strands', () => run.childrenOf(strand.id).some((id) => run.strandState(id).ended !== undefined));
  }
  if (!strand.isStopped) for (const id of run.childrenOf(strand.id)) run.stopStrand(id);
  await Promise.all(ends.values());
  if (strand.isStopped) return null;
  await strand.closeChildren();
  throw failure;
}

const loopOf = (strand: StrandPort): NonNullable<StrandState['loop']> => strand.state.loop ?? { count: 0, next: 0, results: [] };

function openItem(step: ForeachStep, strand: StrandPort): string {
  const loop = loopOf(strand);
  const id = `${step.id}.${strand.visit}.${loop.next + 1}`;
  strand.run.openStrand({
    ...newStrand(id, strand.id, step.steps[0]?.id ?? null),
    items: [...(strand.state.items ?? []), { as: step.as, key: itemsKey(strand), index: loop.next }],
    saved: {},
  });
  strand.change({ loop: { ...loop, next: loop.next + 1 } });
  return id;
}

/** Takes away the strands that have ended, with what they saved. */
async function takeResults(step: ForeachStep, strand: StrandPort): Promise<void> {
  const { run } = strand;
  for (const id of run.childrenOf(strand.id)) {
    const { ended, saved = {}, items = [] } = run.strandState(id);
    if (ended !== 'completed') continue;
    const index = items.at(-1)?.index ?? 0;
    run.removeStrand(id);
    const loop = loopOf(strand);
    if (step.save_as !== undefined) strand.change({ loop: { ...loop, results: [...loop.results, [index, saved]] } });
    if ((index + 1) % SHOW_EVERY === 0 || isAmongLast(strand)) await strand.project();
  }
}

/** No more are begun, and those that are left may rest for days: what is shown then is to be what is. */
const isAmongLast = (strand: StrandPort): boolean => {
  const { count, next } = loopOf(strand);
  return next >= count && strand.run.childrenOf(strand.id).length > 0 && patched('show-last-items');
};

function finish(step: ForeachStep, strand: StrandPort): string | null {
  const { count, results } = loopOf(strand);
  if (step.save_as !== undefined) {
    const list = [...results].sort(([a], [b]) => a - b).map(([, saved]) => saved);
    if (JSON.stringify(list).length > MAX_SAVED_CHARACTERS)
      throw stepFailure(`What the items of "${step.id}" saved has more than 64 KiB: save ids, and read the records in later steps.`);
    strand.save({ [step.save_as]: list });
  }
  strand.note({ step: step.id, status: 'completed', comment: `${count} items` });
  return target(step.then);
}
