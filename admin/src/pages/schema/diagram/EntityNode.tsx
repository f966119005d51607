/** An entity in the diagram. Plain elements with classes: a hundred of these are on the canvas at once. */
import { Handle, Position, useStore, type Node, type NodeProps } from '@xyflow/react';
import { memo, type ReactElement } from 'react';
import { useWords } from '../../../i18n/words.ts';
import type { EntityNode as Entity, FieldRow } from '../model/graph.ts';
import { shownRows, type Detail } from '../model/layout.ts';
import { SCHEMA } from '../words.ts';

export interface EntityData extends Record<string, unknown> {
  readonly entity: Entity;
  readonly detail: Detail;
  readonly field: string | undefined;
  readonly onField: (entity: string, field: string) => void;
  readonly onDetail: (entity: string) => void;
}

export type EntityFlowNode = Node<EntityData, 'entity'>;

/** Below this nobody can read a field's name: names of entities are written large instead. */
const FAR = 0.45;

export const EntityNode = memo(function EntityNode({ data }: NodeProps<EntityFlowNode>): ReactElement {
  const isFar = useStore(({ transform }) => transform[2] < FAR);
  const { entity } = data;
  return (
    <div className="erd-node" data-mark={entity.mark} data-far={isFar}>
      <Handle type="target" position={Position.Left} id="l" className="erd-handle" style={{ top: 18 }} />
      <Handle type="source" position={Position.Right} id="r" className="erd-handle" style={{ top: 18 }} />
      {isFar ? <div className="erd-far">{entity.name}</div> : <Near data={data} />}
    </div>
  );
});

function Near({ data: { entity, detail, field, onField, onDetail } }: { readonly data: EntityData }): ReactElement {
  const t = useWords(SCHEMA);
  const rows = shownRows(entity.rows, detail);
  const hidden = entity.rows.length - rows.length;
  return (
    <>
      <div className="erd-head">
        <span className="erd-name">{entity.name}</span>
        <Word mark={entity.mark} />
      </div>
      {rows.map((row) => (
        <Row
          key={`${row.name} ${row.mark === 'removed' ? '-' : ''}`}
          row={row}
          isChosen={row.name === field}
          onClick={() => onField(entity.name, row.name)}
        />
      ))}
      {hidden > 0 ? (
        <button type="button" tabIndex={-1} className="erd-more nodrag" onClick={() => onDetail(entity.name)}>
          {t('more_fields', hidden)}
        </button>
      ) : null}
    </>
  );
}

interface RowProps {
  readonly row: FieldRow;
  readonly isChosen: boolean;
  readonly onClick: () => void;
}

/** For the mouse; by keyboard fields are reached in the entity's form, or in the table. */
function Row({ row, isChosen, onClick }: RowProps): ReactElement {
  const t = useWords(SCHEMA);
  return (
    <div
      className="erd-row"
      data-mark={row.mark}
      data-chosen={isChosen}
      onClick={(event) => {
        event.stopPropagation();
        onClick();
      }}
    >
      <span className="erd-field">
        {row.isKey ? <b title={t('key')}>◆ </b> : row.isReference ? <b title={t('reference')}>→ </b> : null}
        {row.name}
        {row.isRequired ? <b title={t('required')}> *</b> : null}
      </span>
      {row.mark === undefined || row.mark === 'modified' ? null : <Word mark={row.mark} />}
      <span className="erd-type">
        {row.isUnique && !row.isKey ? `${t('unique')} ` : ''}
        {row.mark === 'modified' ? '● ' : ''}
        {row.type}
      </span>
    </div>
  );
}

function Word({ mark }: { readonly mark: Entity['mark'] }): ReactElement | null {
  const t = useWords(SCHEMA);
  return mark === undefined ? null : (
    <span className="erd-mark" data-mark={mark}>
      {t(mark)}
    </span>
  );
}
