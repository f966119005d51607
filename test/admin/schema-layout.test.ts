/** Where entities stand in the diagram: apart from each other, where somebody put them, new ones beside what they relate to. */
import { expect, it } from 'vitest';
import type { DocumentInput } from '../../admin/src/document/types.ts';
import { compare } from '../../admin/src/pages/schema/model/compare.ts';
import { graphOf, type Graph } from '../../admin/src/pages/schema/model/graph.ts';
import { layered } from '../../admin/src/pages/schema/model/layered.ts';
import { heightOf, isUnplaced, NODE_WIDTH, placesFor, shownRows, sizesOf, type Places } from '../../admin/src/pages/schema/model/layout.ts';

const entity = (name: string) => ({ name, fields: Array.from({ length: 5 }, (_, at) => ({ name: `f${at}`, type: 'string' as const })) });

function graphWith(count: number, alone: number): Graph {
  const names = Array.from({ length: count + alone }, (_, at) => `e${at}`);
  const document: DocumentInput = {
    version: 1,
    entities: names.map(entity),
    relations: names.slice(1, count).map((target, at) => ({
      name: `r${at}`,
      type: 'one_to_many' as const,
      source: `e${Math.floor(at / 2)}`,
      target,
    })),
  };
  return graphOf(document, compare(document, document));
}

function overlaps(graph: Graph, places: Places): readonly string[] {
  const boxes = graph.nodes.map(({ name, rows }) => ({ name, ...places[name]!, height: heightOf(rows.length, 0) }));
  return boxes.flatMap((a, at) =>
    boxes
      .slice(at + 1)
      .filter((b) => Math.abs(a.x - b.x) < NODE_WIDTH && a.y < b.y + b.height && b.y < a.y + a.height)
      .map((b) => `${a.name} ${b.name}`),
  );
}

it('lays entities out apart, those without relations in rows below', () => {
  const graph = graphWith(20, 9);
  const places = layered(
    graph,
    sizesOf(graph, () => 'all'),
  );
  expect(Object.keys(places)).toHaveLength(29);
  expect(overlaps(graph, places)).toEqual([]);
  expect(new Set(graph.nodes.slice(20).map(({ name }) => places[name]?.y)).size).toBe(2);
});

it('breaks a layer of very many entities into columns, so that it is no tower', () => {
  const names = Array.from({ length: 90 }, (_, at) => `e${at}`);
  const document: DocumentInput = {
    version: 1,
    entities: names.map(entity),
    relations: names.slice(1).map((target) => ({ name: `r_${target}`, type: 'one_to_many', source: 'e0', target })),
  };
  const graph = graphOf(document, compare(document, document));
  const places = layered(
    graph,
    sizesOf(graph, () => 'all'),
  );
  expect(overlaps(graph, places)).toEqual([]);
  const [width, height] = (['x', 'y'] as const).map((axis) => Math.max(...Object.values(places).map((place) => place[axis])));
  expect(height! / width!).toBeLessThan(1.5);
});

it('keeps where things stand, and puts a new one on a free spot beside what it relates to', () => {
  const kept = Object.fromEntries(graphWith(5, 0).nodes.map(({ name }, at) => [name, { x: at * 400, y: 0 }]));
  const grown = graphWith(6, 0);
  const places = placesFor(grown, kept);
  expect(places).toMatchObject(kept);
  expect(places['e5']!.x).toBe(places['e2']!.x + NODE_WIDTH + 80);
  expect(places['e5']!.y).toBeGreaterThanOrEqual(heightOf(5, 0));
  expect(overlaps(grown, places)).toEqual([]);
  expect([isUnplaced(grown, {}), isUnplaced(grown, kept), isUnplaced(graphWith(0, 0), {})]).toEqual([true, false, false]);
});

it('shows of a collapsed entity its keys, references and what changed', () => {
  const row = { isKey: false, isReference: false, mark: undefined };
  const rows = [{ ...row, isKey: true }, row, { ...row, isReference: true }, { ...row, mark: 'new' }];
  expect(shownRows(rows, 'all')).toHaveLength(4);
  expect(shownRows(rows, 'keys')).toHaveLength(3);
  expect(shownRows(rows, 'none')).toEqual([]);
});
