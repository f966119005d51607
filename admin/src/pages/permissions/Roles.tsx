import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import EditOutlined from '@mui/icons-material/EditOutlined';
import {
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  IconButton,
  Stack,
  TextField,
  Tooltip,
  Typography,
} from '@mui/material';
import { useId, useState, type ReactElement } from 'react';
import { errorAt, useDefinitions, useWrites, type Listed } from '../../definitions/definitions.ts';
import { useWords } from '../../i18n/words.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { useDraft } from './draft.ts';
import { PERMISSIONS } from './words.ts';

interface Role {
  readonly name: string;
  readonly description?: string;
}

interface RoleRow extends Role {
  readonly listed: Listed<Role> | undefined;
  readonly permissions: number;
}

/** The roles of the document, and those that permissions name without being listed. */
export function Roles(): ReactElement {
  const t = useWords(PERMISSIONS);
  const roles = useDefinitions<Role>('roles');
  const { remove } = useWrites<Role>('roles');
  const { shown } = useDraft();
  const [edited, setEdited] = useState<Partial<Listed<Role>> | undefined>();
  const [asked, setAsked] = useState<Listed<Role> | undefined>();
  if (roles.data === undefined)
    return roles.error === null ? <Loading /> : <Problem error={roles.error} onRetry={() => void roles.refetch()} />;
  const rows = rowsOf(
    roles.data.data,
    shown.filter(({ state }) => state !== 'removed').map(({ permission }) => permission.roles),
  );
  const add = (
    <Button variant="contained" onClick={() => setEdited({})}>
      {t('role_new')}
    </Button>
  );
  return (
    <Stack spacing={2}>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {t('roles_description')}
      </Typography>
      <div>{add}</div>
      {rows.length === 0 ? <Empty>{t('roles_none')}</Empty> : <RoleRows rows={rows} onEdit={setEdited} onDelete={setAsked} />}
      {edited === undefined ? null : <RoleDialog initial={edited} onClose={() => setEdited(undefined)} />}
      {asked === undefined ? null : (
        <Confirm
          title={t('role_delete_title', { role: asked.name })}
          action={t('role_delete')}
          isDestructive
          onConfirm={() => remove(asked.id)}
          onClose={() => setAsked(undefined)}
        >
          {t('role_delete_says')}
        </Confirm>
      )}
    </Stack>
  );
}

function rowsOf(listed: readonly Listed<Role>[], named: readonly (readonly string[])[]): readonly RoleRow[] {
  const count = (name: string): number => named.filter((roles) => roles.some((role) => role.toLowerCase() === name.toLowerCase())).length;
  const known = new Set(listed.map(({ name }) => name.toLowerCase()));
  const others = [...new Set(named.flat())].filter((name) => name !== '*' && !known.has(name.toLowerCase()));
  return [
    ...listed.map((role) => ({ ...role, listed: role, permissions: count(role.name) })),
    ...others.map((name) => ({ name, listed: undefined, permissions: count(name) })),
  ];
}

interface RoleRowsProps {
  readonly rows: readonly RoleRow[];
  readonly onEdit: (role: Listed<Role>) => void;
  readonly onDelete: (role: Listed<Role>) => void;
}

function RoleRows({ rows, onEdit, onDelete }: RoleRowsProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const button = (label: string, icon: ReactElement, act: () => void): ReactElement => (
    <Tooltip title={label}>
      <IconButton size="small" aria-label={label} onClick={act}>
        {icon}
      </IconButton>
    </Tooltip>
  );
  return (
    <Rows
      label={t('tab_roles')}
      rows={rows}
      keyOf={({ name }) => name}
      columns={[
        { key: 'name', label: t('role_name'), cell: ({ name }) => <strong>{name}</strong> },
        { key: 'description', label: t('role_description'), cell: ({ description }) => description ?? '–' },
        { key: 'permissions', label: t('role_permissions'), align: 'right', cell: ({ permissions }) => permissions },
        {
          key: 'actions',
          label: t('actions'),
          width: 140,
          cell: ({ name, listed }) =>
            listed === undefined ? (
              <Status tone="warning" label={t('role_unlisted')} />
            ) : (
              <Stack direction="row">
                {button(t('role_edit_one', { role: name }), <EditOutlined fontSize="small" />, () => onEdit(listed))}
                {button(t('role_delete_one', { role: name }), <DeleteOutlined fontSize="small" />, () => onDelete(listed))}
              </Stack>
            ),
        },
      ]}
    />
  );
}

function RoleDialog({ initial, onClose }: { readonly initial: Partial<Listed<Role>>; readonly onClose: () => void }): ReactElement {
  const t = useWords(PERMISSIONS);
  const id = useId();
  const { create, change } = useWrites<Role>('roles');
  const [name, setName] = useState(initial.name ?? '');
  const [description, setDescription] = useState(initial.description ?? '');
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const save = (): void => {
    setBusy(true);
    setError(undefined);
    const body = { name: name.trim(), description: description.trim() === '' ? null : description.trim() };
    (initial.id === undefined ? create(body) : change(initial.id, body)).then(
      onClose,
      (refused: unknown) => (setError(refused), setBusy(false)),
    );
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="sm">
      <DialogTitle id={id}>{t(initial.id === undefined ? 'role_new' : 'role_edit')}</DialogTitle>
      <DialogContent>
        <Problem error={error} />
        <Stack spacing={2} sx={{ pt: 1 }}>
          <TextField
            autoFocus
            size="small"
            label={t('role_name')}
            value={name}
            onChange={(event) => setName(event.target.value)}
            error={errorAt(error, 'name') !== undefined}
            helperText={errorAt(error, 'name')}
          />
          <TextField
            size="small"
            label={t('role_description')}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
            multiline
          />
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button variant="contained" disabled={isBusy || name.trim() === ''} onClick={save}>
          {t('role_save')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
