/** The same steps as a table: everything the diagram does, by keyboard and for readers of the screen. */
import AddOutlined from '@mui/icons-material/AddOutlined';
import ArrowDownwardOutlined from '@mui/icons-material/ArrowDownwardOutlined';
import ArrowUpwardOutlined from '@mui/icons-material/ArrowUpwardOutlined';
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Box, IconButton, Link, Stack, Tooltip, Typography } from '@mui/material';
import type { KeyboardEvent, ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { below, type Anchor } from './AddStep.tsx';
import { endsWhenUnsaid, outcomesOf, outline, type Gap, type Place } from './steps.ts';
import type { Step } from './workflow.ts';
import { useOutcomeWords, WORKFLOWS } from './words.ts';

interface OutlineProps {
  readonly steps: readonly Step[];
  readonly chosen: string | undefined;
  readonly problems: ReadonlyMap<string, number>;
  readonly onChoose: (step: string) => void;
  readonly onAdd: (gap: Gap, at: Anchor) => void;
  readonly onMove: (step: string, by: number) => void;
  readonly onRemove: (step: string) => void;
}

const INDENT = 20;

export function Outline(props: OutlineProps): ReactElement {
  const { steps, chosen } = props;
  const t = useWords(WORKFLOWS);
  return (
    <Stack component="section" aria-label={t('steps')} spacing={1}>
      <Typography component="h2" variant="h6">
        {t('steps')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {t('steps_says')}
      </Typography>
      <Rows
        label={t('steps')}
        rows={outline(steps)}
        keyOf={({ step }) => step.id}
        isSelected={({ step }) => step.id === chosen}
        columns={useColumns(props)}
      />
    </Stack>
  );
}

function useColumns({ problems, onChoose, onMove, onRemove, onAdd }: OutlineProps): readonly Column<Place>[] {
  const t = useWords(WORKFLOWS);
  const outcomeSaid = useOutcomeWords();
  const press = (event: KeyboardEvent<HTMLElement>, id: string): void => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    const pressed = event.currentTarget;
    if (event.key === 'Delete') onRemove(id);
    else if (event.altKey && by !== 0) {
      onMove(id, by);
      // A row that is moved loses the focus.
      requestAnimationFrame(() => pressed.focus());
    } else return;
    event.preventDefault();
  };
  return [
    {
      key: 'step',
      label: t('step'),
      cell: ({ step, depth, index, list }) => (
        <Box sx={{ pl: { xs: 0, sm: `${depth * INDENT}px` } }}>
          <Link
            component="button"
            type="button"
            onClick={() => onChoose(step.id)}
            onKeyDown={(event) => press(event, step.id)}
            sx={{ fontWeight: 600, textAlign: 'left' }}
          >
            {step.name ?? step.id}
          </Link>
          <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
            {[
              step.name === undefined ? '' : step.id,
              list.of === undefined ? '' : t('inner_list', { of: list.of, at: list.branch + 1 }),
              index === 0 ? t('begins_here') : '',
            ]
              .filter((word) => word !== '')
              .join(' · ')}
          </Typography>
        </Box>
      ),
    },
    { key: 'kind', label: t('kind'), cell: ({ step }) => t(`kind_${step.type}`) },
    {
      key: 'leads',
      label: t('leads_to'),
      cell: ({ step }) =>
        outcomesOf(step)
          .filter(({ key, target }) => target !== undefined || endsWhenUnsaid(key))
          .map(({ key, target }) => `${outcomeSaid(key, step)}: ${target === undefined || target === 'end' ? t('to_end') : target}`)
          .join(', '),
    },
    {
      key: 'problems',
      label: t('judged'),
      cell: ({ step }) => {
        const count = problems.get(step.id) ?? 0;
        return count === 0 ? (
          '–'
        ) : (
          <Typography variant="body2" color="error">
            {t('problems', count)}
          </Typography>
        );
      },
    },
    {
      key: 'tools',
      label: t('tools'),
      width: 160,
      cell: (place) => <Tools place={place} onMove={onMove} onRemove={onRemove} onAdd={onAdd} />,
    },
  ];
}

function Tools({
  place,
  onMove,
  onRemove,
  onAdd,
}: Pick<OutlineProps, 'onMove' | 'onRemove' | 'onAdd'> & { readonly place: Place }): ReactElement {
  const t = useWords(WORKFLOWS);
  const { step, index, count, list } = place;
  const tool = (label: string, icon: ReactElement, act: (anchor: HTMLElement) => void, isOff = false): ReactElement => (
    <Tooltip title={label}>
      <span>
        <IconButton size="small" aria-label={label} disabled={isOff} onClick={(event) => act(event.currentTarget)}>
          {icon}
        </IconButton>
      </span>
    </Tooltip>
  );
  const usual = outcomesOf(step)[0]?.key ?? 'then';
  return (
    <Stack direction="row">
      {tool(t('add_after', { step: step.id }), <AddOutlined fontSize="small" />, (anchor) =>
        onAdd({ list, after: { step: step.id, key: usual } }, below(anchor)),
      )}
      {tool(t('move_up', { step: step.id }), <ArrowUpwardOutlined fontSize="small" />, () => onMove(step.id, -1), index === 0)}
      {tool(t('move_down', { step: step.id }), <ArrowDownwardOutlined fontSize="small" />, () => onMove(step.id, 1), index === count - 1)}
      {tool(t('remove_one_step', { step: step.id }), <DeleteOutlined fontSize="small" />, () => onRemove(step.id), count === 1)}
    </Stack>
  );
}
