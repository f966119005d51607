/** The definition as React Flow draws it. Steps are chosen by a click or a key, added on the arrows, and led elsewhere by drawing one. */
import AddOutlined from '@mui/icons-material/AddOutlined';
import {
  Background,
  BaseEdge,
  Controls,
  EdgeLabelRenderer,
  Handle,
  MarkerType,
  Position,
  ReactFlow,
  useInternalNode,
  type Connection,
  type Edge,
  type EdgeProps,
  type Node,
  type NodeProps,
} from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { Box, ButtonBase, IconButton, Typography } from '@mui/material';
import { useTheme } from '@mui/material/styles';
import { createContext, memo, useContext, useMemo, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { useIsDark } from '../../shell/appearance.ts';
import { endId, layoutOf, STEP_HEIGHT, type LaidEdge, type LaidNode, type Point } from './layout.ts';
import { KIND_ICONS } from './kind-icons.tsx';
import { below, type Anchor } from './AddStep.tsx';
import { END, endsWhenUnsaid, innerLists, isSameList, outcomesOf, placeOf, type Gap } from './steps.ts';
import type { Step } from './workflow.ts';
import { useOutcomeWords, WORKFLOWS } from './words.ts';

export type Mark = 'done' | 'current' | 'failed';

export interface DiagramProps {
  readonly label: string;
  readonly steps: readonly Step[];
  /** The trigger in words: where it begins. */
  readonly begins: string;
  readonly chosen?: string | undefined;
  /** How many problems each step has. */
  readonly problems?: ReadonlyMap<string, number>;
  /** Of a run: where it has been, is, or failed. */
  readonly marks?: ReadonlyMap<string, Mark>;
  /** Undefined chooses the beginning. Without it nothing is chosen. */
  readonly onChoose?: (step: string | undefined) => void;
  /** Without these nothing is edited. */
  readonly onAdd?: (gap: Gap, at: Anchor) => void;
  readonly onLead?: (step: string, key: string, target: string | undefined) => void;
}

/** Besides the nodes, which stay the same as long as the layout does: a new node is measured anew, and its arrows vanish meanwhile. */
const OfDiagram = createContext<Omit<DiagramProps, 'label' | 'steps'>>({ begins: '' });

interface NodeData extends Record<string, unknown> {
  readonly node: LaidNode;
}

interface EdgeData extends Record<string, unknown> {
  readonly edge: LaidEdge;
  readonly label: string;
}

export default function Diagram(props: DiagramProps): ReactElement {
  const { label, steps, onLead } = props;
  const isDark = useIsDark();
  const layout = useMemo(() => layoutOf(steps), [steps]);
  const nodes = useMemo(() => layout.nodes.map(nodeOf), [layout]);
  const edges = useEdges(layout.edges, steps);
  const isBeside = ({ source, target }: Connection | Edge): boolean => {
    const place = placeOf(steps, source);
    const other = layout.nodes.find(({ id }) => id === target);
    return place !== undefined && other !== undefined && isSameList(place.list, other.list);
  };
  const lead = ({ source, sourceHandle, target }: Connection): void => {
    const list = placeOf(steps, source)?.list;
    if (list !== undefined && sourceHandle !== null) onLead?.(source, sourceHandle, target === endId(list) ? END : target);
  };
  return (
    <Box
      role="region"
      aria-label={label}
      sx={{
        height: { xs: 420, md: 640 },
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        bgcolor: 'background.paper',
        '& .react-flow__attribution a': { color: 'text.secondary' },
        '& .react-flow__node': { cursor: 'default' },
      }}
    >
      <OfDiagram.Provider value={props}>
        <ReactFlow
          key={layout.nodes.map(({ id }) => id).join()}
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          colorMode={isDark ? 'dark' : 'light'}
          fitView
          fitViewOptions={{ maxZoom: 1, minZoom: 0.6 }}
          minZoom={0.2}
          nodesDraggable={false}
          nodesConnectable={onLead !== undefined}
          nodesFocusable={false}
          edgesFocusable={false}
          deleteKeyCode={null}
          preventScrolling={false}
          zoomOnScroll={false}
          isValidConnection={isBeside}
          onConnect={lead}
        >
          <Background gap={20} />
          <Controls showInteractive={false} />
        </ReactFlow>
      </OfDiagram.Provider>
    </Box>
  );
}

const nodeOf = (node: LaidNode): Node<NodeData> => ({
  id: node.id,
  type: node.kind,
  position: { x: node.x, y: node.y },
  width: node.width,
  height: node.height,
  ...(node.parent === undefined ? {} : { parentId: node.parent, extent: 'parent' as const }),
  data: { node },
});

function useEdges(laid: readonly LaidEdge[], steps: readonly Step[]): Edge<EdgeData>[] {
  const { palette } = useTheme();
  const outcomeSaid = useOutcomeWords();
  return useMemo(
    () =>
      laid.map((edge, at): Edge<EdgeData> => {
        const step = placeOf(steps, edge.source)?.step;
        const color = edge.key === 'on_error' ? palette.error.main : palette.text.secondary;
        return {
          id: `${at} ${edge.source} ${edge.key ?? ''}`,
          type: 'way',
          source: edge.source,
          target: edge.target,
          ...(edge.key === undefined ? {} : { sourceHandle: edge.key }),
          data: { edge, label: edge.key === undefined || edge.key === 'then' || step === undefined ? '' : outcomeSaid(edge.key, step) },
          style: { stroke: color, ...(edge.key === 'on_error' ? { strokeDasharray: '4 3' } : {}) },
          markerEnd: { type: MarkerType.ArrowClosed, color, width: 16, height: 16 },
        };
      }),
    [laid, steps, palette, outcomeSaid],
  );
}

const LABEL_BELOW = 16;
/** Beneath its word and beside those of the other ways out, so that each can be hit. */
const ADD_BELOW = 36;
const BEND_BELOW = 52;
const CORNER = 12;

/** A line through the points, its corners rounded. */
function pathThrough(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  return rest.reduce((path, point, at) => {
    const next = rest[at + 1];
    if (next === undefined) return `${path} L ${point.x} ${point.y}`;
    const before = towards(point, points[at] ?? point);
    const after = towards(point, next);
    return `${path} L ${before.x} ${before.y} Q ${point.x} ${point.y} ${after.x} ${after.y}`;
  }, `M ${first.x} ${first.y}`);
}

function towards(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const share = length === 0 ? 0 : Math.min(CORNER, length / 2) / length;
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

/** Down from its step, by the bends that keep it off other steps, down into the next. */
function useWayPoints({ source, sourceX, sourceY, targetX, targetY, data }: EdgeProps<Edge<EdgeData>>): readonly Point[] {
  const { x = 0, y = 0 } = useInternalNode(source)?.internals.positionAbsolute ?? {};
  const bends = (data?.edge.bends ?? []).map((bend) => ({ x: bend.x + x, y: bend.y + y }));
  const start = { x: sourceX, y: sourceY + BEND_BELOW };
  const end = { x: targetX, y: targetY - LABEL_BELOW };
  // On its way down it does not turn back up.
  const between = end.y < start.y ? bends : bends.filter(({ y: at }) => at > start.y && at < end.y);
  return [{ x: sourceX, y: sourceY }, start, ...between, end, { x: targetX, y: targetY }];
}

/** An arrow with its word near the step it leaves, and the place for a new step beneath it. */
function Way(props: EdgeProps<Edge<EdgeData>>): ReactElement {
  const { sourceX, sourceY, markerEnd, style, data } = props;
  const t = useWords(WORKFLOWS);
  const points = useWayPoints(props);
  const { edge, label = '' } = data ?? {};
  const { onAdd } = useContext(OfDiagram);
  const gap: Gap | undefined =
    edge === undefined
      ? undefined
      : { list: edge.list, ...(edge.key === undefined ? {} : { after: { step: edge.source, key: edge.key } }) };
  const told = t('add_between', { from: edge?.key === undefined ? t('the_beginning') : `${edge.source} (${label || t('then')})` });
  return (
    <>
      <BaseEdge
        path={pathThrough(points)}
        {...(markerEnd === undefined ? {} : { markerEnd })}
        {...(style === undefined ? {} : { style })}
      />
      <EdgeLabelRenderer>
        {label === '' ? null : (
          <Typography
            component="span"
            sx={{ position: 'absolute', fontSize: 10, px: 0.25, bgcolor: 'background.paper', color: 'text.primary', whiteSpace: 'nowrap' }}
            style={{ transform: `translate(-50%, -50%) translate(${sourceX}px, ${sourceY + LABEL_BELOW}px)` }}
          >
            {label}
          </Typography>
        )}
        {gap === undefined || onAdd === undefined ? null : (
          <IconButton
            size="small"
            className="nodrag nopan"
            aria-label={told}
            title={told}
            onClick={(event) => onAdd(gap, below(event.currentTarget))}
            sx={ADD}
            style={{ transform: `translate(-50%, -50%) translate(${sourceX}px, ${sourceY + ADD_BELOW}px)` }}
          >
            <AddOutlined sx={{ fontSize: 16 }} />
          </IconButton>
        )}
      </EdgeLabelRenderer>
    </>
  );
}

const ADD = {
  position: 'absolute',
  p: 0,
  width: 24,
  height: 24,
  border: 1,
  borderColor: 'divider',
  bgcolor: 'background.paper',
  pointerEvents: 'all',
  '&:hover': { bgcolor: 'background.default' },
} as const;

const MARK_COLORS = { done: 'success.main', current: 'primary.main', failed: 'error.main' } as const;

const StepNode = memo(function StepNode({ data: { node } }: NodeProps<Node<NodeData>>): ReactElement | null {
  const of = useContext(OfDiagram);
  const t = useWords(WORKFLOWS);
  const { step } = node;
  if (step === undefined) return null;
  const problems = of.problems?.get(step.id) ?? 0;
  const mark = of.marks?.get(step.id);
  const Icon = KIND_ICONS[step.type];
  const isChosen = of.chosen === step.id;
  const said = [t(`kind_${step.type}`), problems > 0 ? t('problems', problems) : '', mark === undefined ? '' : t(`mark_${mark}`)].filter(
    (word) => word !== '',
  );
  const color = problems > 0 ? 'error.main' : mark === undefined ? (isChosen ? 'primary.main' : 'text.secondary') : MARK_COLORS[mark];
  const hasInside = innerLists(step).length > 0;
  return (
    <Box
      sx={{
        width: node.width,
        height: node.height,
        borderRadius: 1,
        border: isChosen || mark !== undefined ? 2 : 1,
        borderColor: color,
        bgcolor: hasInside ? 'action.hover' : 'background.default',
      }}
    >
      <Handle id="in" type="target" position={Position.Top} style={HANDLE} />
      <ButtonBase
        aria-pressed={isChosen}
        disabled={of.onChoose === undefined}
        onClick={() => of.onChoose?.(step.id)}
        sx={{
          width: '100%',
          height: STEP_HEIGHT - 4,
          px: 1.5,
          justifyContent: 'start',
          textAlign: 'left',
          gap: 1.25,
          color: 'text.primary',
        }}
      >
        <Icon fontSize="small" sx={{ color }} />
        <Box sx={{ minWidth: 0 }}>
          <Typography noWrap sx={{ fontWeight: 600, fontSize: 13 }}>
            {step.name ?? step.id}
          </Typography>
          <Typography noWrap sx={{ fontSize: 11, color: problems > 0 ? 'error.main' : 'text.secondary' }}>
            {said.join(' · ')}
          </Typography>
        </Box>
      </ButtonBase>
      <Outcomes step={step} />
    </Box>
  );
});

const HANDLE = { width: 8, height: 8, background: 'transparent', border: 'none' } as const;
const DRAWN = { width: 9, height: 9 } as const;

/** Where arrows leave: those that lead somewhere first, so that few of them cross. */
function Outcomes({ step }: { readonly step: Step }): ReactElement {
  const outcomeSaid = useOutcomeWords();
  const outcomes = outcomesOf(step);
  const shown = [...outcomes].sort((a, b) => Number(isLed(b)) - Number(isLed(a)));
  return (
    <>
      {shown.map(({ key }, at) => (
        <Handle
          key={key}
          id={key}
          type="source"
          position={Position.Bottom}
          title={outcomeSaid(key, step)}
          style={{ ...DRAWN, left: `${((at + 0.5) / shown.length) * 100}%`, opacity: 0.6 }}
        />
      ))}
    </>
  );
}

const isLed = ({ key, target }: { readonly key: string; readonly target: string | undefined }): boolean =>
  target !== undefined || endsWhenUnsaid(key);

const BeginNode = memo(function BeginNode({ data: { node } }: NodeProps<Node<NodeData>>): ReactElement {
  const of = useContext(OfDiagram);
  const t = useWords(WORKFLOWS);
  const isInner = node.list.of !== undefined;
  const isChosen = of.chosen === undefined && of.onChoose !== undefined;
  return (
    <Box sx={{ width: node.width, height: node.height, borderRadius: 5, bgcolor: isInner ? 'text.secondary' : 'success.main' }}>
      {isInner ? null : (
        <ButtonBase
          aria-pressed={isChosen}
          disabled={of.onChoose === undefined}
          onClick={() => of.onChoose?.(undefined)}
          sx={{
            width: '100%',
            height: '100%',
            px: 2,
            borderRadius: 5,
            color: 'success.contrastText',
            outline: isChosen ? '2px solid' : 'none',
            outlineOffset: 2,
            outlineColor: 'success.main',
          }}
        >
          <Typography noWrap sx={{ fontSize: 12, fontWeight: 600 }}>
            {of.begins === '' ? t('the_beginning') : of.begins}
          </Typography>
        </ButtonBase>
      )}
      <Handle type="source" position={Position.Bottom} style={HANDLE} isConnectable={false} />
    </Box>
  );
});

const EndNode = memo(function EndNode({ data: { node } }: NodeProps<Node<NodeData>>): ReactElement {
  const t = useWords(WORKFLOWS);
  return (
    <Box
      sx={{
        width: node.width,
        height: node.height,
        borderRadius: 5,
        border: '3px double',
        borderColor: 'text.secondary',
        display: 'grid',
        placeItems: 'center',
        bgcolor: 'background.default',
      }}
    >
      <Handle type="target" position={Position.Top} style={HANDLE} />
      <Typography sx={{ fontSize: 11, color: 'text.primary' }}>{t('the_end')}</Typography>
    </Box>
  );
});

const NODE_TYPES = { step: StepNode, begin: BeginNode, end: EndNode };
const EDGE_TYPES = { way: Way };
