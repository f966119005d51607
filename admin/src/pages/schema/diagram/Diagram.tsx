/** The schema as a diagram: entities as boxes, relations as lines; drawn, moved, linked and searched by mouse and by keyboard. */
import '@xyflow/react/dist/style.css';
import { Box, Typography } from '@mui/material';
import {
  applyNodeChanges,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  useStore,
  useStoreApi,
  type Connection,
  type EdgeChange,
  type NodeChange,
} from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef, useState, type ReactElement } from 'react';
import { useStore as useKept } from 'react-admin';
import { useWords } from '../../../i18n/words.ts';
import { useShortcuts } from '../../../shell/shortcuts.ts';
import { useIsDark } from '../../../shell/appearance.ts';
import { Loading } from '../../../ui/Page.tsx';
import { useDialogs } from '../dialogs.ts';
import { useDraft } from '../draft.ts';
import { NoEntities } from '../NoEntities.tsx';
import { removeField, removeRelation } from '../model/edits.ts';
import { graphOf, type Graph } from '../model/graph.ts';
import {
  heightOf,
  isUnplaced,
  MANY,
  NODE_WIDTH,
  placesFor,
  shownRows,
  sizesOf,
  type Detail,
  type Places,
  type Point,
} from '../model/layout.ts';
import { useKeptPlaces } from '../places.ts';
import { useSelection, type Selection } from '../selection.ts';
import { SCHEMA } from '../words.ts';
import { EntityNode, type EntityFlowNode } from './EntityNode.tsx';
import { CANVAS, FIT } from './look.ts';
import { RelationEdge, type RelationFlowEdge } from './RelationEdge.tsx';
import { Toolbar } from './Toolbar.tsx';

const NODE_TYPES = { entity: EntityNode };
const EDGE_TYPES = { relation: RelationEdge };

/** As React Flow calls them. */
type Direction = 'up' | 'down' | 'left' | 'right';

export default function Diagram(): ReactElement {
  return (
    <ReactFlowProvider>
      <Canvas />
    </ReactFlowProvider>
  );
}

function Canvas(): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, marks } = useDraft();
  const isDark = useIsDark();
  const [selection, select] = useSelection();
  const { ask } = useDialogs();
  const graph = useMemo(() => graphOf(draft.document, marks), [draft.document, marks]);
  const detail = useDetail(graph.nodes.length);
  const { places = NOWHERE, move, arrange } = usePlaces(graph, detail.of);
  const [nodes, onNodesChange] = useNodes({ graph, places, detail, selection, select, movePlaces: move });
  const edges = useEdges(graph, selection);
  useVisible(selection, places);
  useRefit();
  const search = useKeys(selection);
  const onEdgesChange = useCallback(
    (changes: EdgeChange<RelationFlowEdge>[]) => {
      const chosen = changes.find((change) => change.type === 'select' && change.selected);
      const edge = chosen === undefined || !('id' in chosen) ? undefined : graph.edges.find(({ id }) => id === chosen.id);
      if (edge !== undefined) select(edge.field === undefined ? { relation: edge.name } : { entity: edge.target, field: edge.field });
    },
    [graph.edges, select],
  );
  const onConnect = useCallback(({ source, target }: Connection) => ask({ kind: 'link', source, target }), [ask]);
  const labels = useMemo(
    () => ({
      'node.a11yDescription.default': t('node_help'),
      'node.a11yDescription.keyboardDisabled': t('node_help'),
      'edge.a11yDescription.default': t('edge_help'),
      'node.a11yDescription.ariaLiveMessage': ({ direction, x, y }: { direction: string; x: number; y: number }) =>
        t('moved', { direction: t(`to_${direction as Direction}`), x: Math.round(x), y: Math.round(y) }),
      'handle.ariaLabel': t('add_relation'),
    }),
    [t],
  );
  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', gap: 1, minWidth: 0, minHeight: 0, flex: 1 }}>
      <Toolbar graph={graph} detail={detail.all} onDetail={detail.setAll} onArrange={arrange} search={search} />
      {graph.nodes.length === 0 ? (
        <NoEntities />
      ) : places === NOWHERE ? (
        <Loading lines={8} />
      ) : (
        <Box sx={CANVAS} data-testid="erd">
          <ReactFlow<EntityFlowNode, RelationFlowEdge>
            aria-label={t('canvas')}
            nodes={nodes}
            edges={edges}
            nodeTypes={NODE_TYPES}
            edgeTypes={EDGE_TYPES}
            onNodesChange={onNodesChange}
            onEdgesChange={onEdgesChange}
            onConnect={onConnect}
            onPaneClick={() => select({})}
            colorMode={isDark ? 'dark' : 'light'}
            ariaLabelConfig={labels}
            minZoom={0.05}
            maxZoom={2}
            fitView
            fitViewOptions={FIT}
            deleteKeyCode={null}
            selectionKeyCode={null}
            multiSelectionKeyCode={null}
            onlyRenderVisibleElements
            elevateNodesOnSelect={false}
            nodeDragThreshold={3}
          />
        </Box>
      )}
      <Typography variant="caption" sx={{ color: 'text.secondary', display: { xs: 'none', md: 'block' } }}>
        {t('keys_help')}
      </Typography>
    </Box>
  );
}

interface Details {
  readonly all: Detail;
  readonly setAll: (detail: Detail) => void;
  readonly of: (entity: string) => Detail;
  readonly toggle: (entity: string) => void;
}

/** How much of each node is shown: one choice for all, kept, and those that were opened by hand. */
function useDetail(count: number): Details {
  const [chosen, setChosen] = useKept<Detail | ''>('schema.detail', '');
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const all = chosen === '' ? (count > MANY ? 'keys' : 'all') : chosen;
  return useMemo(
    () => ({
      all,
      setAll: (detail: Detail) => {
        setChosen(detail);
        setOpened(new Set());
      },
      of: (entity: string) => (opened.has(entity) ? 'all' : all),
      toggle: (entity: string) => setOpened((before) => new Set([...before, entity])),
    }),
    [all, opened, setChosen],
  );
}

interface Placed {
  /** Undefined until they are laid out for the first time. */
  readonly places: Places | undefined;
  readonly move: (moved: Places) => void;
  readonly arrange: () => void;
}

const NOWHERE: Places = {};

/** Where everything stands, kept in this browser per app. */
function usePlaces(graph: Graph, detailOf: (entity: string) => Detail): Placed {
  const [kept, setKept] = useKeptPlaces();
  const flow = useReactFlow();
  const isNew = isUnplaced(graph, kept);
  const layOut = useCallback(async () => {
    const { layered } = await import('../model/layered.ts');
    setKept(layered(graph, sizesOf(graph, detailOf)));
  }, [detailOf, graph, setKept]);
  const places = useMemo(() => (isNew ? undefined : placesFor(graph, kept)), [graph, kept, isNew]);
  useEffect(() => {
    if (places === undefined) void layOut();
    else if (graph.nodes.some(({ name }) => kept[name] === undefined)) setKept({ ...kept, ...places });
  }, [graph.nodes, kept, layOut, places, setKept]);
  const move = useCallback((moved: Places) => setKept({ ...places, ...moved }), [places, setKept]);
  const arrange = useCallback(() => {
    void layOut().then(() => {
      // Once the nodes stand where they were sent.
      requestAnimationFrame(() => requestAnimationFrame(() => void flow.fitView(FIT)));
    });
  }, [flow, layOut]);
  return { places, move, arrange };
}

interface NodesInput {
  readonly graph: Graph;
  readonly places: Places;
  readonly detail: Details;
  readonly selection: Selection;
  readonly select: (selection: Selection) => void;
  readonly movePlaces: (moved: Places) => void;
}

function useNodes({
  graph,
  places,
  detail,
  selection,
  select,
  movePlaces,
}: NodesInput): readonly [EntityFlowNode[], (changes: NodeChange<EntityFlowNode>[]) => void] {
  const t = useWords(SCHEMA);
  const onField = useCallback((entity: string, field: string) => select({ entity, field }), [select]);
  const made = useMemo(
    () =>
      graph.nodes.map((entity): EntityFlowNode => {
        const shown = shownRows(entity.rows, detail.of(entity.name)).length;
        const size = { width: NODE_WIDTH, height: heightOf(shown, entity.rows.length - shown) };
        const isChosen = selection.entity === entity.name;
        return {
          id: entity.name,
          type: 'entity',
          position: places[entity.name] ?? { x: 0, y: 0 },
          ...size,
          measured: size,
          selected: isChosen,
          ariaLabel: t('node', { name: entity.name, smart_count: entity.rows.length }),
          data: { entity, detail: detail.of(entity.name), field: isChosen ? selection.field : undefined, onField, onDetail: detail.toggle },
        };
      }),
    [graph.nodes, places, detail, selection.entity, selection.field, onField, t],
  );
  const [nodes, setNodes] = useState(made);
  useEffect(() => setNodes(made), [made]);
  const onNodesChange = useCallback(
    (changes: NodeChange<EntityFlowNode>[]) => {
      const chosen = changes.find((change) => change.type === 'select' && change.selected);
      if (chosen !== undefined && 'id' in chosen) select({ entity: chosen.id });
      const other = changes.filter((change) => change.type === 'position' || change.type === 'dimensions');
      if (other.length === 0) return;
      setNodes((before) => applyNodeChanges(other, before));
      const ended = other.flatMap((change): [string, Point][] =>
        change.type === 'position' && change.dragging !== true && change.position !== undefined ? [[change.id, change.position]] : [],
      );
      if (ended.length > 0) movePlaces(Object.fromEntries(ended));
    },
    [movePlaces, select],
  );
  return [nodes, onNodesChange];
}

function useEdges(graph: Graph, selection: Selection): RelationFlowEdge[] {
  const t = useWords(SCHEMA);
  return useMemo(
    () =>
      graph.edges.map((relation): RelationFlowEdge => {
        const isChosen =
          relation.field === undefined
            ? selection.relation === relation.name
            : selection.entity === relation.target && selection.field === relation.field;
        return {
          id: relation.id,
          type: 'relation',
          source: relation.source,
          target: relation.target,
          sourceHandle: 'r',
          targetHandle: 'l',
          selected: isChosen,
          ariaLabel: `${relation.name}: ${t(`sentence_${relation.type}`, { source: relation.source, target: relation.target })}`,
          data: { relation },
        };
      }),
    [graph.edges, selection, t],
  );
}

/** What is chosen elsewhere (search, table, a new one) is brought into view. */
function useVisible(selection: Selection, places: Places): void {
  const flow = useReactFlow();
  const store = useStoreApi();
  const current = useRef(places);
  useEffect(() => {
    current.current = places;
  });
  const { entity } = selection;
  useEffect(() => {
    const place = entity === undefined ? undefined : current.current[entity];
    if (place === undefined) return;
    const { width, height, transform } = store.getState();
    const [x, y, zoom] = transform;
    const [left, top] = [place.x * zoom + x, place.y * zoom + y];
    const isSeen = left >= 0 && top >= 0 && left + NODE_WIDTH * zoom <= width && top + 60 * zoom <= height && zoom >= 0.35;
    if (isSeen || width === 0) return;
    const isStill = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    void flow.setCenter(place.x + NODE_WIDTH / 2, place.y + 120, { zoom: Math.max(zoom, 0.9), duration: isStill ? 0 : 250 });
  }, [entity, flow, store]);
}

const RESIZED_PX = 120;

/** A window of another width (a phone that is turned) shows everything again. */
function useRefit(): void {
  const flow = useReactFlow();
  const width = useStore((state) => state.width);
  const fitted = useRef(0);
  useEffect(() => {
    if (fitted.current > 0 && Math.abs(width - fitted.current) > RESIZED_PX) void flow.fitView(FIT);
    if (fitted.current === 0 || Math.abs(width - fitted.current) > RESIZED_PX) fitted.current = width;
  }, [flow, width]);
}

/** N, L, F and Delete. Answers the search, to be given to its input. */
function useKeys(selection: Selection): React.RefObject<HTMLInputElement | null> {
  const { ask } = useDialogs();
  const { edit, isBroken } = useDraft();
  const [, select] = useSelection();
  const search = useRef<HTMLInputElement>(null);
  const remove = (): void => {
    const { entity, field, relation } = selection;
    if (relation !== undefined) edit((document) => removeRelation(document, relation));
    else if (entity !== undefined && field !== undefined) {
      edit((document) => removeField(document, entity, field));
      select({ entity });
    } else if (entity !== undefined) ask({ kind: 'remove', entity });
  };
  useShortcuts({
    n: () => (isBroken ? undefined : ask({ kind: 'new' })),
    l: () => (isBroken ? undefined : ask({ kind: 'link', ...(selection.entity === undefined ? {} : { source: selection.entity }) })),
    f: () => search.current?.focus(),
    Delete: () => (isBroken ? undefined : remove()),
  });
  return search;
}
