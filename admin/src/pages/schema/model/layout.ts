/** How large the nodes of the diagram are, and where one stands that has no place yet among those that have. */
import type { Graph } from './graph.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}
export type Places = Readonly<Record<string, Point>>;

export type Detail = 'all' | 'keys' | 'none';

export const NODE_WIDTH = 240;
const HEADER = 36;
const ROW = 24;
const FOOT = 22;

/** From how many entities on nodes begin collapsed. */
export const MANY = 40;

export function heightOf(rows: number, hidden: number): number {
  return HEADER + rows * ROW + (hidden > 0 ? FOOT : 0) + 2;
}

/** The rows of a node that are shown at this detail; keys and references say what it is about. */
export const shownRows = <R extends { readonly isKey: boolean; readonly isReference: boolean; readonly mark: unknown }>(
  rows: readonly R[],
  detail: Detail,
): readonly R[] =>
  detail === 'all' ? rows : detail === 'keys' ? rows.filter((row) => row.isKey || row.isReference || row.mark !== undefined) : [];

export interface Sizes {
  readonly width: number;
  readonly heights: ReadonlyMap<string, number>;
}

export const sizesOf = ({ nodes }: Graph, detailOf: (entity: string) => Detail): Sizes => ({
  width: NODE_WIDTH,
  heights: new Map(
    nodes.map(({ name, rows }) => {
      const shown = shownRows(rows, detailOf(name)).length;
      return [name, heightOf(shown, rows.length - shown)];
    }),
  ),
});

/** Nothing stands anywhere yet: it is to be laid out as a whole. */
export const isUnplaced = ({ nodes }: Graph, kept: Places): boolean =>
  nodes.length > 0 && nodes.every(({ name }) => kept[name] === undefined);

/** Places for all nodes: those that were kept, and for new ones a free spot beside what they relate to. */
export function placesFor(graph: Graph, kept: Places): Places {
  const places: Record<string, Point> = {};
  for (const { name } of graph.nodes) if (kept[name] !== undefined) places[name] = kept[name];
  const heights = new Map(graph.nodes.map(({ name, rows }) => [name, heightOf(rows.length, 0)]));
  for (const { name } of graph.nodes) {
    if (places[name] !== undefined) continue;
    const edge = graph.edges.find(({ source, target }) => (source === name) !== (target === name));
    const beside = edge === undefined ? undefined : places[edge.source === name ? edge.target : edge.source];
    const height = heights.get(name) ?? 0;
    places[name] = freeSpot(beside ?? Object.values(places)[0] ?? { x: 0, y: 0 }, ({ x, y }) =>
      Object.entries(places).every(
        ([other, at]) => Math.abs(at.x - x) >= NODE_WIDTH + GAP || at.y >= y + height + GAP || y >= at.y + (heights.get(other) ?? 0) + GAP,
      ),
    );
  }
  return places;
}

const GAP = 20;
const STEP = 60;

/** The nearest spot to the right, then below, where there is room. */
function freeSpot(beside: Point, isFree: (spot: Point) => boolean): Point {
  const spot = { x: beside.x + NODE_WIDTH + 80, y: beside.y };
  while (!isFree(spot)) spot.y += STEP;
  return spot;
}
