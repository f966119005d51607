/** Edits of steps keep a definition whole: every goto leads to a step of its own list, whatever is added, moved or taken away. */
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../admin/src/pages/workflows/layout.ts';
import { troublesByStep, troublesOf } from '../../admin/src/pages/workflows/problems.ts';
import {
  addBranch,
  changeStep,
  freeIds,
  insertStep,
  MAIN,
  moveStep,
  moveToList,
  otherLists,
  outcomesOf,
  outline,
  placeOf,
  removeStep,
  withTarget,
} from '../../admin/src/pages/workflows/steps.ts';
import { emptyStep, emptyWorkflow, STEP_KINDS, type Step } from '../../admin/src/pages/workflows/workflow.ts';
import { ApiError } from '../../client/client.ts';
import { reviewDocument } from '../../core/model/review.ts';
import { readDocument } from '../../core/model/read-document.ts';

const STEPS: readonly Step[] = [
  { id: 'ask', type: 'approval', on_approve: 'both', on_reject: 'end' },
  {
    id: 'both',
    type: 'parallel',
    join: 'all',
    branches: [
      {
        steps: [
          { id: 'left', type: 'wait', duration: '1h', then: 'more' },
          { id: 'more', type: 'wait', duration: '1h' },
        ],
      },
      { steps: [{ id: 'right', type: 'wait', duration: '1h' }] },
    ],
    then: 'last',
  },
  { id: 'last', type: 'action', actions: [{ type: 'set_field', field: 'title', value: 'x' }], on_error: 'ask' },
];
const ids = (steps: readonly Step[]): string[] => outline(steps).map(({ step }) => step.id);
const step = (steps: readonly Step[], id: string): Step => placeOf(steps, id)!.step;

/** As a publish reads and judges them. */
const judged = (steps: readonly Step[]) =>
  reviewDocument(
    readDocument({
      version: 1,
      entities: [{ name: 'ticket', fields: [{ name: 'title', type: 'string' }] }],
      workflows: [
        { name: 'other', trigger: { type: 'manual' }, steps: [{ id: 'a', type: 'wait', duration: '1h' }] },
        { name: 'tried', trigger: { type: 'record_created', entity: 'ticket' }, steps },
      ],
    }),
  );

describe('steps', () => {
  it('are outlined with their places', () => {
    expect(outline(STEPS).map(({ step: { id }, depth, path }) => [id, depth, path])).toEqual([
      ['ask', 0, 'steps.0'],
      ['both', 0, 'steps.1'],
      ['left', 1, 'steps.1.branches.0.steps.0'],
      ['more', 1, 'steps.1.branches.0.steps.1'],
      ['right', 1, 'steps.1.branches.1.steps.0'],
      ['last', 0, 'steps.2'],
    ]);
  });

  it('come on the way out of another, and lead on to where that led', () => {
    const added = insertStep(STEPS, { list: MAIN, after: { step: 'ask', key: 'on_approve' } }, { id: 'new', type: 'wait', duration: '1h' });
    expect(ids(added).slice(0, 2)).toEqual(['ask', 'new']);
    expect([step(added, 'ask')['on_approve'], step(added, 'new')['then']]).toEqual(['new', 'both']);
    const first = insertStep(STEPS, { list: { of: 'both', branch: 1 } }, { id: 'new', type: 'condition', expression: 'true' });
    expect(
      outline(first)
        .filter(({ list }) => list.branch === 1)
        .map(({ step: { id } }) => id),
    ).toEqual(['new', 'right']);
    expect(step(first, 'new')['on_true']).toBe('right');
  });

  it('are taken away, and what led to them leads on; the last of a list stays', () => {
    expect(step(removeStep(STEPS, 'both'), 'ask')['on_approve']).toBe('last');
    expect(step(removeStep(STEPS, 'ask'), 'last')['on_error']).toBe('both');
    expect(removeStep(STEPS, 'right')).toBe(STEPS);
    expect(ids(removeStep(STEPS, 'left'))).toEqual(['ask', 'both', 'more', 'right', 'last']);
  });

  it('are moved in their list and to others, which are never inside them', () => {
    expect(ids(moveStep(STEPS, 'last', -2))[0]).toBe('last');
    expect(moveStep(STEPS, 'ask', -1)).toBe(STEPS);
    expect(otherLists(STEPS, 'both')).toEqual([]);
    expect(otherLists(STEPS, 'left')).toEqual([MAIN, { of: 'both', branch: 1 }]);
    const moved = moveToList(STEPS, 'left', MAIN);
    expect(outline(moved).find(({ step: { id } }) => id === 'left')).toMatchObject({ list: MAIN, index: 3 });
    expect(step(moved, 'left')['then']).toBeUndefined();
  });

  it('keep their callers under another id', () => {
    const renamed = changeStep(STEPS, 'both', { ...step(STEPS, 'both'), id: 'all' });
    expect(step(renamed, 'ask')['on_approve']).toBe('all');
    const looped = changeStep(STEPS, 'more', withTarget(step(STEPS, 'more'), 'then', 'left'));
    expect(step(changeStep(looped, 'left', { ...step(looped, 'left'), id: 'l' }), 'more')['then']).toBe('l');
  });

  it('of a switch lead by their cases', () => {
    const choice: Step = { id: 'c', type: 'condition', switch: { cases: [{ when: 'true', goto: 'end' }, { when: 'false' }] } };
    expect(outcomesOf(choice)).toEqual([
      { key: 'switch.cases.0.goto', target: 'end' },
      { key: 'switch.cases.1.goto', target: undefined },
      { key: 'switch.default', target: undefined },
      { key: 'on_error', target: undefined },
    ]);
    expect(withTarget(withTarget(choice, 'switch.cases.1.goto', 'x'), 'switch.default', 'y')['switch']).toEqual({
      cases: [
        { when: 'true', goto: 'end' },
        { when: 'false', goto: 'x' },
      ],
      default: 'y',
    });
  });
});

describe('a new step', () => {
  it.each(STEP_KINDS.filter((kind) => kind !== 'action' && kind !== 'subprocess'))('of kind %s can be published as it comes', (kind) => {
    const added = insertStep(STEPS, { list: MAIN, after: { step: 'ask', key: 'on_approve' } }, emptyStep(kind, freeIds(STEPS)));
    expect(judged(added).errors).toEqual([]);
  });

  it('has an id of its own', () => {
    const free = freeIds(STEPS);
    expect([free('wait'), free('wait'), free('left'), free('end')]).toEqual(['wait', 'wait_2', 'left_2', 'end_2']);
    expect(ids(emptyWorkflow('w', 'ticket').steps)).toEqual(['review']);
    expect(ids([addBranch(step(STEPS, 'both'), { id: 'third', type: 'wait' })])).toContain('third');
  });
});

it('what is refused is told at its step, the innermost', () => {
  const wrong = changeStep(STEPS, 'right', { id: 'right', type: 'wait', duration: '1h', then: 'last' });
  const details = judged(wrong).errors.map(({ path, rule, message }) => ({ path, rule, message }));
  const error = new ApiError(422, 'VALIDATION_FAILED', 'no', { error: { code: 'VALIDATION_FAILED', message: 'no', details } } as never);
  const troubles = troublesOf({ state: 'refused', error }, 1);
  expect(troublesOf({ state: 'refused', error }, 0)).toEqual([]);
  expect([...troublesByStep(wrong, troubles)].map(([id, [first]]) => [id, first?.path])).toEqual([
    ['right', 'steps.1.branches.1.steps.0.then'],
  ]);
});

it('the diagram holds every step once, those of branches inside theirs', () => {
  const { nodes, edges } = layoutOf(STEPS);
  expect(nodes.flatMap(({ step: { id } = { id: '' }, parent }) => (id === '' ? [] : [[id, parent]]))).toEqual([
    ['ask', undefined],
    ['both', undefined],
    ['last', undefined],
    ['left', 'both'],
    ['more', 'both'],
    ['right', 'both'],
  ]);
  const both = nodes.find(({ id }) => id === 'both')!;
  for (const inner of nodes.filter(({ parent }) => parent === 'both')) {
    expect(inner.x).toBeGreaterThanOrEqual(0);
    expect(inner.x + inner.width).toBeLessThanOrEqual(both.width);
    expect(inner.y + inner.height).toBeLessThanOrEqual(both.height);
  }
  expect(edges.map(({ source, target }) => `${source} ${target}`)).toContain('last ask');
});
