/** The diagram laid out in layers from left to right. Loaded when it is needed: once an app, and when somebody asks for it. */
import { Graph as Layers, layout } from '@dagrejs/dagre';
import type { Graph } from './graph.ts';
import type { Places, Point, Sizes } from './layout.ts';

const MARGIN = 24;
const BETWEEN_LAYERS = 96;
const BETWEEN_NODES = 28;

/** Told all sizes, it is loaded without the diagram. */
export function layered(graph: Graph, { width, heights }: Sizes): Places {
  const layers = new Layers({ multigraph: true });
  layers.setGraph({ rankdir: 'LR', ranksep: BETWEEN_LAYERS, nodesep: BETWEEN_NODES, marginx: MARGIN, marginy: MARGIN });
  layers.setDefaultEdgeLabel(() => ({}));
  for (const [name, height] of heights) layers.setNode(name, { width, height });
  for (const edge of graph.edges) if (edge.source !== edge.target) layers.setEdge(edge.source, edge.target, {}, edge.id);
  layout(layers);
  const connected = new Set(
    graph.edges.filter(({ source, target }) => source !== target).flatMap(({ source, target }) => [source, target]),
  );
  const placed = graph.nodes
    .filter(({ name }) => connected.has(name))
    .map(({ name }) => {
      const { x, y, height } = layers.node(name) as { x: number; y: number; height: number };
      return [name, { x: Math.round(x - width / 2), y: Math.round(y - height / 2) }] as const;
    });
  const wrapped = withoutTowers(placed, { width, heights });
  return { ...Object.fromEntries(wrapped), ...inRows(graph, { width, heights }, connected, wrapped) };
}

type Placed = readonly (readonly [string, Point])[];

/** A layer of very many entities would be a tower that nobody can read: it is broken into columns side by side. */
function withoutTowers(placed: Placed, { width, heights }: Sizes): Placed {
  const perColumn = Math.max(10, Math.ceil(Math.sqrt(placed.length)));
  const starts = [...new Set(placed.map(([, { x: start }]) => start))].sort((a, b) => a - b);
  const layers = starts.map((start) => placed.filter(([, place]) => place.x === start));
  if (layers.every((layer) => layer.length <= perColumn)) return placed;
  let x = MARGIN;
  return layers.flatMap((layer) => {
    const ordered = layer.toSorted(([, a], [, b]) => a.y - b.y);
    const columns = Math.ceil(ordered.length / perColumn);
    const left = x;
    x += columns * (width + 40) + BETWEEN_LAYERS - 40;
    const bottoms = Array.from({ length: columns }, () => MARGIN);
    return ordered.map(([name], at): readonly [string, Point] => {
      const column = Math.floor(at / perColumn);
      const y = bottoms[column] ?? MARGIN;
      bottoms[column] = y + (heights.get(name) ?? 0) + BETWEEN_NODES;
      return [name, { x: left + column * (width + 40), y }];
    });
  });
}

/** What relates to nothing stands in rows below, instead of in one endless column. */
function inRows(graph: Graph, { width, heights }: Sizes, connected: ReadonlySet<string>, placed: Placed): Places {
  const alone = graph.nodes.filter(({ name }) => !connected.has(name));
  const bottom = Math.max(0, ...placed.map(([name, { y }]) => y + (heights.get(name) ?? 0)));
  const perRow = Math.max(4, Math.ceil(Math.sqrt(alone.length * 2)));
  let y = placed.length === 0 ? 24 : bottom + 64;
  const places: [string, Point][] = [];
  for (let start = 0; start < alone.length; start += perRow) {
    const row = alone.slice(start, start + perRow);
    places.push(...row.map(({ name }, at): [string, Point] => [name, { x: 24 + at * (width + 40), y }]));
    y += Math.max(...row.map(({ name }) => heights.get(name) ?? 0)) + 40;
  }
  return Object.fromEntries(places);
}
