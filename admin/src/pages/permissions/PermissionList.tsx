import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import EditOutlined from '@mui/icons-material/EditOutlined';
import UndoOutlined from '@mui/icons-material/UndoOutlined';
import { IconButton, Stack, Tooltip, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import { useDraft } from './draft.ts';
import { conditionOf, sentenceOf, type ShownPermission } from './permission.ts';
import { PermissionDialog } from './PermissionDialog.tsx';
import { PERMISSIONS } from './words.ts';

/** Every permission, the draft's among them. */
export function PermissionList(): ReactElement {
  const t = useWords(PERMISSIONS);
  const { shown } = useDraft();
  const [edited, setEdited] = useState<ShownPermission | undefined>();
  const order = [...shown].sort((a, b) => a.permission.entity.localeCompare(b.permission.entity));
  if (shown.length === 0) return <Empty>{t('none')}</Empty>;
  return (
    <>
      <Rows
        label={t('tab_list')}
        rows={order}
        keyOf={({ key }) => key}
        columns={[
          { key: 'effect', label: t('effect'), width: 110, cell: ({ permission }) => <Effect isDeny={permission.deny} /> },
          { key: 'permission', label: t('permission'), cell: (each) => <Sentence shown={each} /> },
          { key: 'condition', label: t('condition'), cell: ({ permission }) => conditionOf(permission, t) || t('every_record') },
          { key: 'fields', label: t('fields'), cell: ({ permission }) => fieldsText(permission.fields) || t('all_fields') },
          { key: 'state', label: t('state'), width: 120, cell: ({ state }) => <PermissionState state={state} /> },
          {
            key: 'actions',
            label: t('actions'),
            width: 96,
            cell: (each) => <PermissionActions shown={each} onEdit={() => setEdited(each)} />,
          },
        ]}
      />
      {edited === undefined ? null : (
        <PermissionDialog initial={edited.permission} editKey={edited.key} onClose={() => setEdited(undefined)} />
      )}
    </>
  );
}

const fieldsText = (fields: ShownPermission['permission']['fields']): string =>
  [...new Set([...(fields?.read ?? []), ...(fields?.write ?? [])])].join(', ');

function Effect({ isDeny }: { readonly isDeny: boolean }): ReactElement {
  const t = useWords(PERMISSIONS);
  return <Status tone={isDeny ? 'failed' : 'done'} label={t(isDeny ? 'effect_deny' : 'effect_grant')} />;
}

function Sentence({ shown: { permission, state } }: { readonly shown: ShownPermission }): ReactElement {
  const t = useWords(PERMISSIONS);
  const whole = sentenceOf({ ...permission, conditions: [], expression: undefined }, t);
  return (
    <Typography component="span" variant="body2" sx={{ textDecoration: state === 'removed' ? 'line-through' : 'none' }}>
      {whole}
    </Typography>
  );
}

const TONES: Readonly<Record<Exclude<ShownPermission['state'], 'stored'>, Tone>> = { added: 'info', changed: 'warning', removed: 'failed' };

export function PermissionState({ state }: { readonly state: ShownPermission['state'] }): ReactElement | null {
  const t = useWords(PERMISSIONS);
  if (state !== 'stored') return <Status tone={TONES[state]} label={t(`state_${state}`)} />;
  return (
    <Typography component="span" variant="body2" sx={{ color: 'text.secondary' }}>
      {t('state_stored')}
    </Typography>
  );
}

/** Edit and remove, or take the edit back; all of it in the draft. */
export function PermissionActions({ shown, onEdit }: { readonly shown: ShownPermission; readonly onEdit: () => void }): ReactElement {
  const t = useWords(PERMISSIONS);
  const { edit, undo } = useDraft();
  const { key, permission, state } = shown;
  const named = { permission: sentenceOf(permission, t) };
  const button = (label: string, icon: ReactElement, act: () => void): ReactElement => (
    <Tooltip title={label}>
      <IconButton size="small" aria-label={label} onClick={act}>
        {icon}
      </IconButton>
    </Tooltip>
  );
  return (
    <Stack direction="row">
      {state === 'removed' ? null : button(t('edit_one', named), <EditOutlined fontSize="small" />, onEdit)}
      {state === 'stored' || state === 'added'
        ? button(t('remove_one', named), <DeleteOutlined fontSize="small" />, () => edit({ kind: 'remove', key }))
        : button(t('undo_one', named), <UndoOutlined fontSize="small" />, () => undo(key))}
    </Stack>
  );
}
