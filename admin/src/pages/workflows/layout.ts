/** Where the steps of a definition stand in the diagram: each list laid out by itself, from its beginning down to its end. */
import dagre from '@dagrejs/dagre';
import { END, endsWhenUnsaid, innerLists, listKey, MAIN, outcomesOf, REQUESTER, type ListRef } from './steps.ts';
import type { Step } from './workflow.ts';

export const STEP_WIDTH = 220;
export const STEP_HEIGHT = 64;
const POINT = { begin: { width: 260, height: 44 }, inner: { width: 16, height: 16 }, end: { width: 64, height: 28 } } as const;
const PADDING = 20;
/** So that the words of several ways out stand beside each other. */
const OUTCOME_WIDTH = 78;

export interface LaidNode {
  readonly id: string;
  readonly kind: 'step' | 'begin' | 'end';
  readonly step?: Step;
  readonly list: ListRef;
  /** The step it stands inside. */
  readonly parent: string | undefined;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface LaidEdge {
  readonly source: string;
  readonly target: string;
  /** The outcome; undefined at the beginning of a list. */
  readonly key: string | undefined;
  readonly list: ListRef;
  /** Where it goes between its ends, round the steps between, as seen from the upper left corner of its source. */
  readonly bends: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly nodes: readonly LaidNode[];
  readonly edges: readonly LaidEdge[];
}

interface Block extends Layout {
  readonly width: number;
  readonly height: number;
}

export const beginId = (list: ListRef): string => `begin ${listKey(list)}`;
export const endId = (list: ListRef): string => `end ${listKey(list)}`;

export const layoutOf = (steps: readonly Step[]): Layout => blockOf(steps, MAIN);

function blockOf(steps: readonly Step[], list: ListRef): Block {
  const graph = new dagre.graphlib.Graph({ multigraph: true })
    .setGraph({ rankdir: 'TB', nodesep: 48, ranksep: 92 })
    .setDefaultEdgeLabel(() => ({}));
  const inside = new Map(steps.map((step) => [step.id, insideOf(step)]));
  const begin = list.of === undefined ? POINT.begin : POINT.inner;
  graph.setNode(beginId(list), { ...begin });
  for (const step of steps) graph.setNode(step.id, { ...(inside.get(step.id) ?? sizeOf(step)) });
  const ways = waysOf(steps, list);
  if (ways.some(({ target }) => target === endId(list))) graph.setNode(endId(list), { ...POINT.end });
  ways.forEach(({ source, target }, at) => (source === target ? undefined : graph.setEdge(source, target, {}, String(at))));
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const stepOf = new Map(steps.map((step) => [step.id, step]));
  const own: readonly LaidNode[] = graph.nodes().map((id: string): LaidNode => {
    const { x, y, width: wide, height: high } = graph.node(id);
    const step = stepOf.get(id);
    const kind = step === undefined ? (id === endId(list) ? 'end' : 'begin') : 'step';
    return {
      id,
      kind,
      ...(step === undefined ? {} : { step }),
      list,
      parent: list.of,
      x: x - wide / 2,
      y: y - high / 2,
      width: wide,
      height: high,
    };
  });
  const corner = new Map(own.map(({ id, x, y }) => [id, { x, y }]));
  const edges = ways.map((way, at): LaidEdge => {
    const { x, y } = corner.get(way.source) ?? { x: 0, y: 0 };
    const points: readonly Point[] = way.source === way.target ? [] : graph.edge(way.source, way.target, String(at)).points;
    // The ends are where the handles are.
    return { ...way, bends: points.slice(1, -1).map((point) => ({ x: point.x - x, y: point.y - y })) };
  });
  const below = [...inside.values()].filter((block) => block !== undefined);
  return {
    nodes: [...own, ...below.flatMap(({ nodes }) => nodes)],
    edges: [...edges, ...below.flatMap((block) => block.edges)],
    width,
    height,
  };
}

const sizeOf = (step: Step): { width: number; height: number } => ({
  width: Math.max(
    STEP_WIDTH,
    outcomesOf(step).filter(({ key, target }) => target !== undefined || endsWhenUnsaid(key)).length * OUTCOME_WIDTH,
  ),
  height: STEP_HEIGHT,
});

/** A step with lists inside is as large as they are, side by side. */
function insideOf(step: Step): Block | undefined {
  const blocks = innerLists(step).map((steps, branch) => blockOf(steps, { of: step.id, branch }));
  if (blocks.length === 0) return undefined;
  let x = PADDING;
  const nodes = blocks.flatMap((block, branch) => {
    const at = x;
    x += block.width + PADDING;
    // Only the nodes of the list itself: what is further inside stands in its own step.
    return block.nodes.map((node) =>
      node.parent === step.id && node.list.branch === branch ? { ...node, x: node.x + at, y: node.y + STEP_HEIGHT + PADDING } : node,
    );
  });
  return {
    nodes,
    edges: blocks.flatMap(({ edges }) => edges),
    width: Math.max(x, sizeOf(step).width),
    height: STEP_HEIGHT + PADDING * 2 + Math.max(...blocks.map(({ height }) => height)),
  };
}

type Way = Omit<LaidEdge, 'bends'>;

function waysOf(steps: readonly Step[], list: ListRef): readonly Way[] {
  const ids = new Set(steps.map(({ id }) => id));
  const first = steps[0] === undefined ? [] : [{ source: beginId(list), target: steps[0].id, key: undefined, list }];
  const led = steps.flatMap((step) =>
    outcomesOf(step).flatMap(({ key, target }): Way[] => {
      if (target === REQUESTER || (target === undefined && !endsWhenUnsaid(key))) return [];
      if (target === undefined || target === END) return [{ source: step.id, target: endId(list), key, list }];
      return ids.has(target) ? [{ source: step.id, target, key, list }] : [];
    }),
  );
  return [...first, ...led];
}
