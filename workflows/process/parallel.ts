import { isCancellation } from '@temporalio/workflow';
import type { ParallelStep } from '../../core/model/document.ts';
import { stepFailure } from './failure.ts';
import type { StrandPort } from './ports.ts';
import { newStrand, target } from './state.ts';

export async function beginParallel(step: ParallelStep, strand: StrandPort): Promise<void> {
  for (const [index, { steps }] of step.branches.entries()) {
    const id = `${step.id}.${strand.visit}.${index + 1}`;
    strand.run.openStrand({ ...newStrand(id, strand.id, steps[0]?.id ?? null), items: strand.state.items ?? [] });
  }
  await strand.project();
}

/** Goes on when enough branches have come to their end; the others are cancelled, and their tasks closed. */
export async function joinBranches(step: ParallelStep, strand: StrandPort): Promise<string | null> {
  const { run } = strand;
  const children = run.childrenOf(strand.id);
  const wanted = step.join === 'all' ? children.length : step.join === 'any' ? 1 : Math.min(step.join, children.length);
  const going = new Set(children.filter((id) => run.strandState(id).ended === undefined));
  const completed = (): number => children.filter((id) => run.strandState(id).ended === 'completed').length;
  const failures: Error[] = [];
  const ends = [...going].map(async (id) => {
    try {
      await run.goThrough(id);
      if (!run.isStopped(id)) run.changeStrand(id, { ended: 'completed' });
    } catch (error) {
      if (!run.isStopped(id)) run.changeStrand(id, { ended: 'failed' });
      if (error instanceof Error && !(isCancellation(error) && run.isStopped(id))) failures.push(error);
    } finally {
      going.delete(id);
    }
  });
  const isDecided = (): boolean => completed() >= wanted || completed() + going.size < wanted;
  await strand.waitFor('strands', isDecided);
  if (!strand.isStopped) for (const id of going) run.stopStrand(id);
  await Promise.all(ends);
  if (strand.isStopped) return null;
  const isJoined = completed() >= wanted;
  await strand.closeChildren();
  if (!isJoined) throw failures[0] ?? stepFailure('Too many of its branches failed.');
  strand.note({ step: step.id, status: 'completed' });
  return target(step.then);
}
