/** The diagram's twin in text: every entity with its fields and relations, for those who do not see a diagram or do not want one. */
import ExpandMore from '@mui/icons-material/ExpandMore';
import { Accordion, AccordionDetails, AccordionSummary, Box, Button, Link, Stack, TextField, Typography } from '@mui/material';
import { useDeferredValue, useMemo, useState, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { useDialogs } from './dialogs.ts';
import { useDraft } from './draft.ts';
import { Mark } from './Mark.tsx';
import { NoEntities } from './NoEntities.tsx';
import { restoreEntity } from './model/edits.ts';
import { CARDINALITY, graphOf, type EntityNode, type FieldRow, type Graph, type RelationEdge } from './model/graph.ts';
import { useSelection } from './selection.ts';
import { SCHEMA } from './words.ts';

const OPEN_UP_TO = 12;

export default function TableView(): ReactElement {
  const t = useWords(SCHEMA);
  const { draft, marks, isBroken } = useDraft();
  const { ask } = useDialogs();
  const graph = useMemo(() => graphOf(draft.document, marks), [draft.document, marks]);
  const [typed, setTyped] = useState('');
  const wanted = useDeferredValue(typed.trim().toLowerCase());
  const shown = graph.nodes.filter(
    ({ name, label, rows }) =>
      wanted === '' || `${name} ${label ?? ''}`.toLowerCase().includes(wanted) || rows.some((row) => row.name.includes(wanted)),
  );
  return (
    <Stack spacing={1.5} sx={{ minWidth: 0 }}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap', alignItems: 'center' }}>
        <TextField
          size="small"
          label={t('filter')}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          sx={{ flex: '1 1 200px', maxWidth: 360 }}
        />
        <Button variant="outlined" disabled={isBroken} onClick={() => ask({ kind: 'new' })}>
          {t('add_entity')}
        </Button>
        <Button variant="outlined" disabled={isBroken || graph.nodes.length === 0} onClick={() => ask({ kind: 'link' })}>
          {t('add_relation')}
        </Button>
      </Stack>
      {graph.nodes.length === 0 ? <NoEntities /> : shown.length === 0 ? <Typography role="status">{t('nothing_found')}</Typography> : null}
      {shown.map((node) => (
        <EntitySection
          key={`${node.name} ${node.mark ?? ''}`}
          node={node}
          graph={graph}
          isOpen={graph.nodes.length <= OPEN_UP_TO || wanted !== ''}
        />
      ))}
    </Stack>
  );
}

function EntitySection({
  node,
  graph,
  isOpen,
}: {
  readonly node: EntityNode;
  readonly graph: Graph;
  readonly isOpen: boolean;
}): ReactElement {
  const t = useWords(SCHEMA);
  const { edit, isBroken } = useDraft();
  const [, select] = useSelection();
  const edges = graph.edges.filter(({ source, target }) => source === node.name || target === node.name);
  return (
    <Accordion
      disableGutters
      variant="outlined"
      defaultExpanded={isOpen}
      slotProps={{ transition: { unmountOnExit: true }, heading: { component: 'h2' } }}
      sx={{ '&::before': { display: 'none' } }}
    >
      <AccordionSummary expandIcon={<ExpandMore />}>
        <Stack direction="row" spacing={1.5} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
          <Typography
            component="span"
            sx={{ fontFamily: 'monospace', fontWeight: 600, ...(node.mark === 'removed' ? { textDecoration: 'line-through' } : {}) }}
          >
            {node.name}
          </Typography>
          <Typography component="span" variant="caption" sx={{ color: 'text.secondary' }}>
            {[node.label, t('count_fields', node.rows.length), t('count_relations', edges.length)].filter(Boolean).join(' · ')}
          </Typography>
          <Mark mark={node.mark} />
        </Stack>
      </AccordionSummary>
      <AccordionDetails>
        <Stack spacing={1.5}>
          {node.mark === 'removed' ? (
            <Button
              size="small"
              variant="outlined"
              sx={{ alignSelf: 'flex-start' }}
              disabled={isBroken}
              onClick={() => edit((document, base) => restoreEntity(document, node.name, base))}
            >
              {t('restore')}
            </Button>
          ) : (
            <Button size="small" variant="outlined" sx={{ alignSelf: 'flex-start' }} onClick={() => select({ entity: node.name })}>
              {t('edit_of', { name: node.name })}
            </Button>
          )}
          <Fields node={node} />
          {edges.length === 0 ? null : <Relations node={node} edges={edges} />}
        </Stack>
      </AccordionDetails>
    </Accordion>
  );
}

function Fields({ node }: { readonly node: EntityNode }): ReactElement {
  const t = useWords(SCHEMA);
  const [selection, select] = useSelection();
  const columns: readonly Column<FieldRow>[] = [
    {
      key: 'name',
      label: t('field'),
      cell: (row) => (
        <Link
          component="button"
          type="button"
          variant="body2"
          sx={{ fontFamily: 'monospace', ...(row.mark === 'removed' ? { textDecoration: 'line-through' } : {}) }}
          onClick={() => select({ entity: node.name, field: row.name })}
        >
          {row.name}
        </Link>
      ),
    },
    { key: 'type', label: t('type'), cell: (row) => row.type },
    {
      key: 'options',
      label: t('options'),
      cell: (row) =>
        [
          row.isKey ? t('key') : '',
          row.isRequired ? t('required') : '',
          row.isUnique && !row.isKey ? t('unique') : '',
          row.isReference ? t('reference') : '',
        ]
          .filter(Boolean)
          .join(', ') || '–',
    },
    { key: 'mark', label: t('changed'), cell: (row) => (row.mark === undefined ? '–' : <Mark mark={row.mark} />) },
  ];
  return (
    <Rows
      label={t('table_fields', { name: node.name })}
      columns={columns}
      rows={node.rows}
      keyOf={(row) => `${row.name} ${row.mark === 'removed' ? 'removed' : ''}`}
      isSelected={(row) => selection.entity === node.name && selection.field === row.name}
    />
  );
}

function Relations({ node, edges }: { readonly node: EntityNode; readonly edges: readonly RelationEdge[] }): ReactElement {
  const t = useWords(SCHEMA);
  const [selection, select] = useSelection();
  const columns: readonly Column<RelationEdge>[] = [
    {
      key: 'name',
      label: t('relation'),
      cell: (edge) => (
        <Link
          component="button"
          type="button"
          variant="body2"
          sx={{ fontFamily: 'monospace' }}
          onClick={() => select(edge.field === undefined ? { relation: edge.name } : { entity: edge.target, field: edge.field })}
        >
          {edge.name}
        </Link>
      ),
    },
    { key: 'kind', label: t('kind'), cell: (edge) => `${CARDINALITY[edge.type].join(' : ')} (${t(edge.type)})` },
    { key: 'other', label: t('other'), cell: (edge) => `${edge.source} → ${edge.target}` },
    { key: 'mark', label: t('changed'), cell: (edge) => (edge.mark === undefined ? '–' : <Mark mark={edge.mark} />) },
  ];
  return (
    <Box>
      <Rows
        label={t('table_relations', { name: node.name })}
        columns={columns}
        rows={edges}
        keyOf={({ id }) => id}
        isSelected={({ field, name }) => field === undefined && selection.relation === name}
      />
    </Box>
  );
}
