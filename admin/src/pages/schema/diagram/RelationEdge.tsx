/** A relation in the diagram: a line with one bar for "one" and a crow's foot for "many" at its ends. */
import { getSmoothStepPath, Position, type Edge, type EdgeProps } from '@xyflow/react';
import { memo, type ReactElement } from 'react';
import { CARDINALITY, type RelationEdge as Relation } from '../model/graph.ts';

export interface RelationData extends Record<string, unknown> {
  readonly relation: Relation;
}
export type RelationFlowEdge = Edge<RelationData, 'relation'>;

const REACH = 12;
const SPREAD = 6;

/** Drawn at (x, y), where the line meets the node; `away` is the direction in which it leaves. */
function endPath(count: string, x: number, y: number, position: Position): string {
  const away = position === Position.Right ? 1 : -1;
  const out = x + away * REACH;
  if (count === '1') return `M ${out - away * 3} ${y - SPREAD} V ${y + SPREAD}`;
  return `M ${out} ${y} L ${x} ${y - SPREAD} M ${out} ${y} L ${x} ${y + SPREAD}`;
}

export const RelationEdge = memo(function RelationEdge(props: EdgeProps<RelationFlowEdge>): ReactElement | null {
  const { data, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition } = props;
  if (data === undefined) return null;
  const { relation } = data;
  const [path, labelX, labelY] = getSmoothStepPath({
    sourceX,
    sourceY,
    targetX,
    targetY,
    sourcePosition,
    targetPosition,
    borderRadius: 6,
    offset: 28,
  });
  const [one, other] = CARDINALITY[relation.type];
  return (
    <g className="erd-edge" data-mark={relation.mark}>
      <path d={path} className="react-flow__edge-path" fill="none" />
      <path d={path} className="react-flow__edge-interaction" fill="none" strokeOpacity={0} strokeWidth={16} />
      <path
        d={`${endPath(one, sourceX, sourceY, sourcePosition)} ${endPath(other, targetX, targetY, targetPosition)}`}
        className="erd-ends"
        fill="none"
      />
      {props.selected === true || relation.mark !== undefined ? (
        <text x={labelX} y={labelY - 6} className="erd-label" textAnchor="middle">
          {relation.name}
        </text>
      ) : null}
    </g>
  );
});
