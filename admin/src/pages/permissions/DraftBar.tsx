/** The edits that are not published: reviewed with whom they touch, published together as one version, or discarded. */
import { Alert, Box, Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack, Typography } from '@mui/material';
import { useId, useMemo, useState, type ReactElement } from 'react';
import { useLocation, useNavigate } from 'react-router-dom';
import { appPath, useAsk, useSend } from '../../api/use-api.ts';
import { savedState } from '../../definitions/Saved.tsx';
import type { Written } from '../../definitions/definitions.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { client } from '../../session.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { useDraft, type PermissionDraft } from './draft.ts';
import type { Decision } from './Matrix.tsx';
import { bodyOf, sentenceOf, type RecordAction } from './permission.ts';
import { PermissionState } from './PermissionList.tsx';
import { PERMISSIONS } from './words.ts';

export function DraftBar(): ReactElement | null {
  const t = useWords(PERMISSIONS);
  const { edits, discard } = useDraft();
  const [open, setOpen] = useState<'review' | 'discard' | undefined>();
  if (edits.length === 0) return null;
  return (
    <>
      <Alert
        severity="info"
        role="region"
        aria-label={t('edits')}
        sx={{ mb: 2, alignItems: 'center', '& .MuiAlert-action': { pt: 0 } }}
        action={
          <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
            <Button size="small" color="inherit" onClick={() => setOpen('discard')}>
              {t('discard')}
            </Button>
            <Button size="small" variant="contained" onClick={() => setOpen('review')}>
              {t('review')}
            </Button>
          </Stack>
        }
      >
        {t('draft_bar', edits.length)} {t('draft_hint')}
      </Alert>
      {open === 'review' ? <PublishDialog onClose={() => setOpen(undefined)} /> : null}
      {open === 'discard' ? (
        <Confirm
          title={t('discard_title')}
          action={t('discard')}
          isDestructive
          onConfirm={() => Promise.resolve(discard())}
          onClose={() => setOpen(undefined)}
        >
          {t('discard_says')}
        </Confirm>
      ) : null}
    </>
  );
}

interface AccessChange {
  readonly role: string | null;
  readonly user: { readonly id: string; readonly email: string } | null;
  readonly entity: string;
  readonly action: RecordAction;
  readonly before: Decision;
  readonly after: Decision;
  readonly effect: 'gains' | 'loses' | 'both' | 'unclear';
  readonly rows: { readonly gained: number; readonly lost: number } | null;
  readonly fields: { readonly gained: readonly string[]; readonly lost: readonly string[]; readonly changed: readonly string[] };
}

interface ImpactAnswer {
  readonly data: { readonly changes: readonly AccessChange[]; readonly users: { readonly considered: number; readonly total: number } };
}

/** Who loses and who gains access stands first; the edits themselves below. */
function PublishDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const t = useWords(PERMISSIONS);
  const id = useId();
  const { app } = useDiscovery();
  const draft = useDraft();
  const question = useMemo(() => (draft.asked === undefined ? undefined : { draft: draft.asked }), [draft.asked]);
  const impact = useAsk<ImpactAnswer>(`${appPath(app.name)}/_admin/permissions/impact`, question);
  const { publish, isBusy, error } = usePublish(draft);
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="md">
      <DialogTitle id={id}>{t('publish_title')}</DialogTitle>
      <DialogContent>
        <Problem error={error ?? impact.error} />
        {impact.isPending ? <Loading lines={4} /> : null}
        {impact.data === undefined ? null : <ImpactView {...impact.data.data} />}
        <Typography component="h3" variant="body2" sx={{ fontWeight: 600, mt: 2, mb: 0.5 }}>
          {t('edits')}
        </Typography>
        <Box component="ul" aria-label={t('edits')} sx={{ listStyle: 'none', m: 0, p: 0 }}>
          {draft.shown
            .filter(({ state }) => state !== 'stored')
            .map(({ key, state, permission }) => (
              <Stack key={key} component="li" direction="row" spacing={1} sx={{ py: 0.5, alignItems: 'center' }}>
                <PermissionState state={state} />
                <span>{sentenceOf(permission, t)}</span>
              </Stack>
            ))}
        </Box>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button variant="contained" disabled={isBusy || impact.data === undefined} onClick={publish}>
          {t('publish')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function ImpactView({ changes, users }: ImpactAnswer['data']): ReactElement {
  const t = useWords(PERMISSIONS);
  const format = useFormat();
  const loses = changes.filter(({ effect }) => effect === 'loses' || effect === 'both');
  const gains = changes.filter(({ effect }) => effect === 'gains' || effect === 'both');
  const unclear = changes.filter(({ effect }) => effect === 'unclear');
  return (
    <Stack spacing={2}>
      {changes.length === 0 ? <Alert severity="info">{t('nobody_changes')}</Alert> : null}
      {changes.length === 0 ? null : (
        <>
          <Changes title={t('loses')} changes={loses} />
          <Changes title={t('gains')} changes={gains} />
          {unclear.length === 0 ? null : <Changes title={t('unclear')} changes={unclear} />}
        </>
      )}
      {users.total > users.considered ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('users_cut', { considered: format.number(users.considered), total: format.number(users.total) })}
        </Typography>
      ) : null}
    </Stack>
  );
}

function Changes({ title, changes }: { readonly title: string; readonly changes: readonly AccessChange[] }): ReactElement {
  const t = useWords(PERMISSIONS);
  const discovery = useDiscovery();
  const nameOf = ({ role, user }: AccessChange): string =>
    user !== null ? user.email : role === '*' ? t('everybody_long') : `${t('role_word')} ${role ?? ''}`;
  return (
    <section aria-label={title}>
      <Typography component="h3" variant="body2" sx={{ fontWeight: 600, mb: 0.5 }}>
        {title}
      </Typography>
      {changes.length === 0 ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('nobody')}
        </Typography>
      ) : (
        <Rows
          label={title}
          rows={changes}
          keyOf={(change) => `${nameOf(change)} ${change.entity} ${change.action}`}
          columns={[
            { key: 'who', label: t('who'), cell: (change) => <strong>{nameOf(change)}</strong> },
            {
              key: 'what',
              label: t('what'),
              cell: ({ entity, action }) => `${entityNamed(discovery, entity)?.label ?? entity}: ${t(`do_${action}`)}`,
            },
            {
              key: 'change',
              label: t('before_after'),
              cell: ({ before, after }) => `${t(`decision_${before}`)} → ${t(`decision_${after}`)}`,
            },
            { key: 'rows', label: t('records'), align: 'right', cell: ({ rows }) => <Counts rows={rows} /> },
            { key: 'fields', label: t('fields'), cell: ({ fields }) => <FieldChanges fields={fields} /> },
          ]}
        />
      )}
    </section>
  );
}

function Counts({ rows }: Pick<AccessChange, 'rows'>): ReactElement {
  const t = useWords(PERMISSIONS);
  const format = useFormat();
  if (rows === null) return <span>–</span>;
  const parts = [
    ...(rows.lost > 0 ? [t('records_lost', { count: format.number(rows.lost) })] : []),
    ...(rows.gained > 0 ? [t('records_gained', { count: format.number(rows.gained) })] : []),
  ];
  return <span>{parts.length === 0 ? '±0' : parts.join(' ')}</span>;
}

function FieldChanges({ fields }: Pick<AccessChange, 'fields'>): ReactElement {
  const t = useWords(PERMISSIONS);
  const parts = (['lost', 'gained', 'changed'] as const).flatMap((kind) =>
    fields[kind].length === 0 ? [] : [t(`fields_${kind}`, { fields: fields[kind].join(', ') })],
  );
  return <span>{parts.length === 0 ? '–' : parts.join('; ')}</span>;
}

interface Publishing {
  readonly publish: () => void;
  readonly isBusy: boolean;
  readonly error: unknown;
}

/** All edits become one version: the served document with other permissions, refused when another is served by then. */
function usePublish({ shown, discard }: PermissionDraft): Publishing {
  const { app } = useDiscovery();
  const send = useSend();
  const navigate = useNavigate();
  const reload = useReload();
  const { pathname, search } = useLocation();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const base = `${appPath(app.name)}/_admin`;
  const run = async (): Promise<void> => {
    const [{ body: exported }, { body: versions }] = await Promise.all([
      client.call<{ data: object }>(`${base}/export`),
      client.call<{ meta: { schema_version: number } }>(`${base}/permissions`),
    ]);
    const permissions = shown.flatMap(({ key, permission, state }) =>
      state === 'removed' ? [] : [{ ...bodyOf(permission), ...(state === 'added' ? {} : { id: key }) }],
    );
    const written = await send<{ data: Omit<Written<unknown>, 'data' | 'migration'> }>(
      'POST',
      `${base}/versions`,
      { ...exported.data, permissions },
      { headers: { 'If-Match': `"${versions.meta.schema_version}"` } },
    );
    discard();
    await navigate(`${pathname}${search}`, { state: savedState(written.data), replace: true });
    await reload();
  };
  const publish = (): void => {
    setBusy(true);
    setError(undefined);
    run().catch((refused: unknown) => (setError(refused), setBusy(false)));
  };
  return { publish, isBusy, error };
}
