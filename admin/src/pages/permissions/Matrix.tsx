/** Role by entity, four signs a cell: read, create, change, delete. Each opens what it is decided by. */
import {
  Box,
  ButtonBase,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  Button,
  Paper,
  Stack,
  Tooltip,
  Typography,
} from '@mui/material';
import { useId, useMemo, useState, type ReactElement } from 'react';
import { Link, useSearchParams } from 'react-router-dom';
import { appPath, useAsk } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Status } from '../../ui/Status.tsx';
import { useDraft } from './draft.ts';
import { emptyPermission, RECORD_ACTIONS, sentenceOf, type Permission, type RecordAction, type ShownPermission } from './permission.ts';
import { PermissionActions, PermissionState } from './PermissionList.tsx';
import { PermissionDialog } from './PermissionDialog.tsx';
import { PERMISSIONS } from './words.ts';

export type Decision = 'allowed' | 'filtered' | 'denied';

interface Cell {
  readonly role: string;
  readonly entity: string;
  readonly action: RecordAction;
  readonly decision: Decision;
  readonly by: readonly string[];
  readonly fields: { readonly always: number; readonly conditional: number; readonly never: number };
}

interface MatrixAnswer {
  readonly data: { readonly roles: readonly string[]; readonly cells: readonly Cell[] };
}

const NOTHING = {};
const keyOf = ({ role, entity, action }: Pick<Cell, 'role' | 'entity' | 'action'>): string => `${role} ${entity} ${action}`;

export function Matrix(): ReactElement {
  const t = useWords(PERMISSIONS);
  const { app } = useDiscovery();
  const { asked } = useDraft();
  const path = `${appPath(app.name)}/_admin/permissions/matrix`;
  const question = useMemo(() => (asked === undefined ? undefined : { draft: asked }), [asked]);
  const served = useAsk<MatrixAnswer>(path, NOTHING);
  const drafted = useAsk<MatrixAnswer>(path, question);
  const error = served.error ?? (question === undefined ? null : drafted.error);
  const shown = question === undefined ? served.data?.data : (drafted.data?.data ?? served.data?.data);
  if (error !== null) return <Problem error={error} onRetry={() => void served.refetch()} />;
  if (shown === undefined || served.data === undefined) return <Loading lines={8} />;
  const before = new Map(served.data.data.cells.map((cell) => [keyOf(cell), cell.decision]));
  const isChanged = (cell: Cell): boolean => (before.get(keyOf(cell)) ?? 'denied') !== cell.decision;
  return (
    <>
      <Legend />
      <Table {...shown} isChanged={isChanged} />
      {shown.cells.length === 0 ? <Empty>{t('none')}</Empty> : null}
      <CellDialog cells={shown.cells} />
    </>
  );
}

const SIGNS = { read: 'R', create: 'C', update: 'U', delete: 'D' } as const;

interface SignProps {
  readonly decision: Decision;
  readonly text: string;
  readonly isChanged?: boolean;
}

/** Allowed is filled, by condition is half, denied is an empty dash: shape, letter and colour say it, and the label in words. */
const signStyle = ({ decision, isChanged = false }: Omit<SignProps, 'text'>) =>
  ({
    width: 26,
    height: 26,
    borderRadius: 0.75,
    fontSize: 12,
    fontWeight: 600,
    border: 1,
    borderStyle: decision === 'filtered' ? 'dashed' : 'solid',
    borderColor: decision === 'allowed' ? 'success.main' : decision === 'filtered' ? 'warning.main' : 'divider',
    bgcolor: decision === 'allowed' ? 'success.main' : 'transparent',
    color: decision === 'allowed' ? 'background.paper' : decision === 'filtered' ? 'warning.main' : 'text.secondary',
    display: 'inline-flex',
    alignItems: 'center',
    justifyContent: 'center',
    ...(isChanged ? { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: 1 } : {}),
  }) as const;

function Legend(): ReactElement {
  const t = useWords(PERMISSIONS);
  return (
    <Stack direction="row" useFlexGap spacing={2} role="note" aria-label={t('legend')} sx={{ flexWrap: 'wrap', mb: 1.5 }}>
      {(['allowed', 'filtered', 'denied'] as const).map((decision) => (
        <Stack key={decision} direction="row" spacing={1} sx={{ alignItems: 'center' }}>
          <Box aria-hidden sx={signStyle({ decision })}>
            {decision === 'denied' ? '–' : 'R'}
          </Box>
          <Typography variant="body2">{t(`decision_${decision}`)}</Typography>
        </Stack>
      ))}
      <Typography variant="body2" sx={{ color: 'text.secondary', alignSelf: 'center' }}>
        {RECORD_ACTIONS.map((action) => `${SIGNS[action]} ${t(`do_${action}`)}`).join(' · ')}
      </Typography>
    </Stack>
  );
}

interface TableProps {
  readonly roles: readonly string[];
  readonly cells: readonly Cell[];
  readonly isChanged: (cell: Cell) => boolean;
}

function Table({ roles, cells, isChanged }: TableProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const discovery = useDiscovery();
  const entities = [...new Set(cells.map(({ entity }) => entity))];
  const byKey = new Map(cells.map((cell) => [keyOf(cell), cell]));
  return (
    <Paper
      variant="outlined"
      tabIndex={0}
      role="region"
      aria-label={t('matrix_label')}
      sx={{ overflow: 'auto', maxHeight: '70vh', width: 'fit-content', maxWidth: '100%' }}
    >
      <Box
        component="table"
        aria-label={t('matrix_label')}
        sx={{
          borderCollapse: 'separate',
          borderSpacing: 0,
          '& th, & td': { px: 1.5, py: 0.75, textAlign: 'left', borderBottom: 1, borderColor: 'divider', whiteSpace: 'nowrap' },
          '& thead th': { position: 'sticky', top: 0, bgcolor: 'background.paper', zIndex: 2 },
          '& th:first-of-type': { position: 'sticky', left: 0, bgcolor: 'background.paper', zIndex: 1, fontWeight: 500 },
          '& thead th:first-of-type': { zIndex: 3, fontWeight: 700 },
        }}
      >
        <thead>
          <tr>
            <th scope="col">{t('entity')}</th>
            {roles.map((role) => (
              <th key={role} scope="col">
                {role === '*' ? t('everybody') : role}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entities.map((entity) => (
            <tr key={entity}>
              <th scope="row">{entityNamed(discovery, entity)?.label ?? entity}</th>
              {roles.map((role) => (
                <td key={role}>
                  <Stack direction="row" spacing={0.5}>
                    {RECORD_ACTIONS.map((action) => {
                      const cell = byKey.get(keyOf({ role, entity, action }));
                      return cell === undefined ? null : <Sign key={action} cell={cell} isChanged={isChanged(cell)} />;
                    })}
                  </Stack>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </Box>
    </Paper>
  );
}

function Sign({ cell, isChanged }: { readonly cell: Cell; readonly isChanged: boolean }): ReactElement {
  const t = useWords(PERMISSIONS);
  const discovery = useDiscovery();
  const [, setSearch] = useSearchParams();
  const { role, entity, action, decision } = cell;
  const label = t(isChanged ? 'cell_drafted' : 'cell', {
    role: role === '*' ? t('everybody') : role,
    action: t(`do_${action}`),
    entity: entityNamed(discovery, entity)?.label ?? entity,
    decision: t(`decision_${decision}`),
  });
  return (
    <Tooltip title={label}>
      <ButtonBase aria-label={label} sx={signStyle({ decision, isChanged })} onClick={() => setSearch({ role, entity, action })}>
        {decision === 'denied' ? '–' : SIGNS[action]}
      </ButtonBase>
    </Tooltip>
  );
}

/** What one sign is decided by; its place is in the address (`?role=&entity=&action=`). */
function CellDialog({ cells }: { readonly cells: readonly Cell[] }): ReactElement | null {
  const t = useWords(PERMISSIONS);
  const id = useId();
  const discovery = useDiscovery();
  const { shown } = useDraft();
  const [search, setSearch] = useSearchParams();
  const [edited, setEdited] = useState<{ readonly permission: Permission; readonly key?: string } | undefined>();
  const [role, entity, action] = ['role', 'entity', 'action'].map((name) => search.get(name));
  const cell = cells.find((each) => each.role === role && each.entity === entity && each.action === action);
  if (cell === undefined) return null;
  const label = entityNamed(discovery, cell.entity)?.label ?? cell.entity;
  const who = cell.role === '*' ? t('everybody_long') : cell.role;
  const bearing = shown.filter(({ permission, key }) => cell.by.includes(key) || bears(permission, cell));
  const simulate = `/t/${discovery.app.name}/_permissions/simulate?${new URLSearchParams({ role: cell.role, entity: cell.entity, action: cell.action }).toString()}`;
  return (
    <Dialog open onClose={() => setSearch({})} aria-labelledby={id} fullWidth maxWidth="md">
      <DialogTitle id={id}>
        {t('cell', { role: who, action: t(`do_${cell.action}`), entity: label, decision: t(`decision_${cell.decision}`) })}
      </DialogTitle>
      <DialogContent>
        <Typography variant="body2" sx={{ mb: 2 }}>
          {t('fields_summary', cell.fields)}
        </Typography>
        <Typography component="h3" variant="body2" sx={{ fontWeight: 600, mb: 1 }}>
          {t('by')}
        </Typography>
        {bearing.length === 0 ? <Typography variant="body2">{t('by_none')}</Typography> : null}
        <Stack spacing={1}>
          {bearing.map((each) => (
            <Bearing key={each.key} shown={each} onEdit={() => setEdited(each)} />
          ))}
        </Stack>
      </DialogContent>
      <DialogActions sx={{ flexWrap: 'wrap' }}>
        <Button component={Link} to={simulate}>
          {t('try_in_simulator')}
        </Button>
        <Button variant="outlined" onClick={() => setEdited({ permission: emptyPermission(cell.entity, cell.action, [cell.role]) })}>
          {t('open_to_draft')}
        </Button>
        <Button onClick={() => setSearch({})}>{t('close')}</Button>
      </DialogActions>
      {edited === undefined ? null : (
        <PermissionDialog
          initial={edited.permission}
          {...(edited.key === undefined ? {} : { editKey: edited.key })}
          onClose={() => setEdited(undefined)}
        />
      )}
    </Dialog>
  );
}

/** Drafted ones have no id yet that the matrix could name. */
const bears = ({ entity, action, roles }: Permission, cell: Cell): boolean =>
  [cell.entity, '*'].includes(entity) &&
  [cell.action, '*'].includes(action) &&
  roles.some((role) => role === '*' || role.toLowerCase() === cell.role.toLowerCase());

function Bearing({ shown, onEdit }: { readonly shown: ShownPermission; readonly onEdit: () => void }): ReactElement {
  const t = useWords(PERMISSIONS);
  return (
    <Paper variant="outlined" sx={{ p: 1, pl: 1.5, display: 'flex', alignItems: 'center', gap: 1, flexWrap: 'wrap' }}>
      <Status tone={shown.permission.deny ? 'failed' : 'done'} label={t(shown.permission.deny ? 'effect_deny' : 'effect_grant')} />
      <Typography variant="body2" sx={{ flex: 1, minWidth: 180, textDecoration: shown.state === 'removed' ? 'line-through' : 'none' }}>
        {sentenceOf(shown.permission, t)}
      </Typography>
      <PermissionState state={shown.state} />
      <PermissionActions shown={shown} onEdit={onEdit} />
    </Paper>
  );
}
