/** The machine as React Flow draws it, laid out by dagre from its beginning to its ends. Loaded when it is looked at. */
import dagre from '@dagrejs/dagre';
import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { Box, Typography } from '@mui/material';
import { useTheme } from '@mui/material/styles';
import { memo, useMemo, type ReactElement } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useIsDark } from '../../shell/appearance.ts';
import { arrowsOf, isFinal, isInitial, statesOf, type Body } from './machine.ts';
import { walkKey } from './walk-key.ts';
import { MACHINES } from './words.ts';

export interface DiagramProps {
  readonly label: string;
  readonly body: Body;
  readonly counts: ReadonlyMap<string, number>;
  /** States and moves that one record has been through. */
  readonly visited: ReadonlySet<string>;
  readonly walked: ReadonlySet<string>;
  readonly onState: (state: string) => void;
  readonly onTransition: (index: number) => void;
}

interface StateData extends Record<string, unknown> {
  readonly state: string;
  readonly marks: readonly ('initial' | 'start' | 'final')[];
  readonly count: number | undefined;
  readonly isVisited: boolean;
}

const WIDTH = 160;
const HEIGHT = 62;

export default function Diagram({ label, body, counts, visited, walked, onState, onTransition }: DiagramProps): ReactElement {
  const isDark = useIsDark();
  const nodes = useMemo(() => nodesOf(body, counts, visited), [body, counts, visited]);
  const edges = useEdges(body, nodes, walked);
  return (
    <Box
      role="region"
      aria-label={label}
      sx={{
        height: { xs: 320, sm: 420 },
        border: 1,
        borderColor: 'divider',
        borderRadius: 1,
        bgcolor: 'background.paper',
        '& .react-flow__attribution a': { color: 'text.secondary' },
      }}
    >
      <ReactFlow
        key={nodes.map(({ id }) => id).join()}
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        colorMode={isDark ? 'dark' : 'light'}
        fitView
        fitViewOptions={{ maxZoom: 1.1 }}
        minZoom={0.2}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        deleteKeyCode={null}
        preventScrolling={false}
        zoomOnScroll={false}
        onNodeClick={(_, node) => onState(node.id)}
        onEdgeClick={(_, edge) => onTransition(Number(edge.data?.['index']))}
      >
        <Background gap={20} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </Box>
  );
}

function nodesOf(body: Body, counts: ReadonlyMap<string, number>, visited: ReadonlySet<string>): Node<StateData>[] {
  const graph = new dagre.graphlib.Graph().setGraph({ rankdir: 'LR', nodesep: 40, ranksep: 90 }).setDefaultEdgeLabel(() => ({}));
  const states = statesOf(body);
  for (const state of states) graph.setNode(state, { width: WIDTH, height: HEIGHT });
  for (const { from, to } of arrowsOf(body)) if (from !== to) graph.setEdge(from, to);
  dagre.layout(graph);
  return states.map((state) => {
    const { x, y } = graph.node(state);
    const beginning = state === body.initial ? (['initial'] as const) : isInitial(body, state) ? (['start'] as const) : [];
    return {
      id: state,
      type: 'state',
      position: { x: x - WIDTH / 2, y: y - HEIGHT / 2 },
      ariaLabel: state,
      data: {
        state,
        marks: [...beginning, ...(isFinal(body, state) ? (['final'] as const) : [])],
        count: counts.get(state),
        isVisited: visited.has(state),
      },
    };
  });
}

function useEdges(body: Body, nodes: readonly Node<StateData>[], walked: ReadonlySet<string>): Edge[] {
  const { palette } = useTheme();
  return useMemo(() => {
    const at = new Map(nodes.map(({ id, position }) => [id, position.x]));
    return arrowsOf(body).map(({ from, to, index }): Edge => {
      const transition = body.transitions[index];
      const isWalked = walked.has(walkKey(from, to));
      const color = isWalked ? palette.primary.main : palette.text.secondary;
      const told = [transition?.name ?? '', (transition?.roles ?? []).join(', '), (transition?.guard ?? '') === '' ? '' : 'ƒ'];
      return {
        id: `${index} ${from} ${to}`,
        source: from,
        target: to,
        // What leads back goes round below, not behind the states between.
        ...((at.get(to) ?? 0) < (at.get(from) ?? 0)
          ? { sourceHandle: 'back', targetHandle: 'return' }
          : { sourceHandle: 'on', targetHandle: 'in' }),
        label: told.filter((part) => part !== '').join(' · '),
        data: { index },
        style: { stroke: color, strokeWidth: isWalked ? 2.5 : 1.2 },
        labelStyle: { fill: palette.text.primary, fontSize: 11 },
        labelBgStyle: { fill: palette.background.paper },
        markerEnd: { type: MarkerType.ArrowClosed, color, width: 18, height: 18 },
        interactionWidth: 16,
      };
    });
  }, [body, nodes, walked, palette]);
}

/** The beginning has a thick left edge, an end a double border, the record's way the primary colour; the words say it too. */
const StateNode = memo(function StateNode({ data }: NodeProps<Node<StateData>>): ReactElement {
  const t = useWords(MACHINES);
  const format = useFormat();
  const { state, marks, count, isVisited } = data;
  return (
    <Box
      sx={{
        width: WIDTH,
        height: HEIGHT,
        px: 1.5,
        py: 0.75,
        bgcolor: 'background.default',
        borderRadius: 1,
        border: marks.includes('final') ? '4px double' : '1px solid',
        borderColor: isVisited ? 'primary.main' : 'text.secondary',
        ...(marks.includes('initial') ? { borderLeft: '6px solid', borderLeftColor: 'success.main' } : {}),
      }}
    >
      <Handle id="in" type="target" position={Position.Left} style={{ opacity: 0 }} />
      <Handle id="return" type="target" position={Position.Bottom} style={{ opacity: 0, left: '35%' }} />
      <Typography noWrap sx={{ fontWeight: 600, fontSize: 13, color: 'text.primary' }}>
        {state}
      </Typography>
      <Typography noWrap sx={{ fontSize: 11, color: 'text.secondary' }}>
        {[...marks.map((mark) => t(`mark_${mark}`)), count === undefined ? '' : format.number(count)]
          .filter((part) => part !== '')
          .join(' · ')}
      </Typography>
      <Handle id="on" type="source" position={Position.Right} style={{ opacity: 0 }} />
      <Handle id="back" type="source" position={Position.Bottom} style={{ opacity: 0, left: '65%' }} />
    </Box>
  );
});

const NODE_TYPES = { state: StateNode };
