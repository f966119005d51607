/** API keys: one's own, or for admins those of everybody. A key's text is shown once, when it is made or rotated. */
import { Box, Button, Chip, Stack } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { appPath, useRead, useSend } from '../api/use-api.ts';
import { useWords } from '../i18n/words.ts';
import { useDiscoveryIfAny } from '../shell/discovery-context.ts';
import { Confirm } from '../ui/Confirm.tsx';
import { Empty } from '../ui/Empty.tsx';
import { Loading } from '../ui/Page.tsx';
import { Pager } from '../ui/Pager.tsx';
import { Problem } from '../ui/Problem.tsx';
import { Rows, type Column } from '../ui/Rows.tsx';
import { Status } from '../ui/Status.tsx';
import { Time } from '../ui/Time.tsx';
import type { Paged, User } from './account.ts';
import { KEY_TONES, stateOf, type ApiKey, type ShownKey } from './key.ts';
import { KeyDialog } from './KeyDialog.tsx';
import { KeyShown } from './KeyShown.tsx';
import { KEYS } from './key-words.ts';

interface KeysProps {
  readonly path: string;
  /** Those of everybody, which may have roles of their own or act as any user. */
  readonly isAdmin?: boolean;
}

const PER_PAGE = 20;
type Asked = { readonly verb: 'rotate' | 'revoke'; readonly key: ApiKey };

export function Keys({ path, isAdmin = false }: KeysProps): ReactElement {
  const t = useWords(KEYS);
  const [params, setParams] = useSearchParams();
  const [edited, setEdited] = useState<ApiKey | 'new'>();
  const [asked, setAsked] = useState<Asked>();
  const [shown, setShown] = useState<ShownKey>();
  const page = Number(params.get('page') ?? '1');
  const read = useRead<Paged<ApiKey>>(`${path}?page=${page}&per_page=${PER_PAGE}`);
  const keys = read.data?.data ?? [];
  const add = (
    <Button variant="contained" onClick={() => setEdited('new')}>
      {t('new')}
    </Button>
  );
  return (
    <Stack spacing={2}>
      {keys.length === 0 ? null : <div>{add}</div>}
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && keys.length === 0 ? <Empty action={add}>{t('none')}</Empty> : null}
      {keys.length === 0 ? null : <KeyRows keys={keys} isAdmin={isAdmin} onEdit={setEdited} onAsk={setAsked} />}
      <Pager page={page} perPage={PER_PAGE} total={read.data?.meta.total ?? 0} onPage={(next) => setParams({ page: String(next) })} />
      {edited === undefined ? null : (
        <KeyDialog
          path={path}
          isAdmin={isAdmin}
          edited={edited === 'new' ? undefined : edited}
          onMade={setShown}
          onClose={() => setEdited(undefined)}
        />
      )}
      {asked === undefined ? null : <Ask asked={asked} path={path} onRotated={setShown} onClose={() => setAsked(undefined)} />}
      {shown === undefined ? null : <KeyShown shown={shown} onClose={() => setShown(undefined)} />}
    </Stack>
  );
}

interface AskProps {
  readonly asked: Asked;
  readonly path: string;
  readonly onRotated: (key: ShownKey) => void;
  readonly onClose: () => void;
}

function Ask({ asked: { verb, key }, path, onRotated, onClose }: AskProps): ReactElement {
  const t = useWords(KEYS);
  const send = useSend();
  const carryOut = async (): Promise<void> => {
    if (verb === 'revoke') await send('DELETE', `${path}/${key.id}`);
    else onRotated((await send<{ data: ShownKey }>('POST', `${path}/${key.id}/rotate`)).data);
  };
  return (
    <Confirm title={t(`${verb}_title`, { name: key.name })} action={t(verb)} isDestructive onConfirm={carryOut} onClose={onClose}>
      {t(`${verb}_says`)}
    </Confirm>
  );
}

interface KeyRowsProps {
  readonly keys: readonly ApiKey[];
  readonly isAdmin: boolean;
  readonly onEdit: (key: ApiKey) => void;
  readonly onAsk: (asked: Asked) => void;
}

function KeyRows({ keys, isAdmin, onEdit, onAsk }: KeyRowsProps): ReactElement {
  const t = useWords(KEYS);
  const emails = useEmails(isAdmin ? keys.flatMap(({ user_id: id }) => id ?? []) : []);
  const columns: readonly Column<ApiKey>[] = [
    {
      key: 'name',
      label: t('name'),
      cell: ({ name, prefix }) => (
        <>
          <strong>{name}</strong>
          <Box component="code" sx={{ display: 'block', fontSize: 12, color: 'text.secondary' }}>
            {prefix}…
          </Box>
        </>
      ),
    },
    { key: 'scopes', label: t('scopes'), cell: ({ scopes }) => <Scopes scopes={scopes} /> },
    ...(isAdmin
      ? [
          {
            key: 'as',
            label: t('acts_as'),
            cell: ({ roles, user_id: user }: ApiKey) => (roles === null ? (emails.get(user ?? '') ?? user ?? '–') : roles.join(', ')),
          },
        ]
      : []),
    {
      key: 'used',
      label: t('last_used'),
      cell: ({ last_used_at: at }) => (at === null ? t('not_used') : <Time at={at} as="ago" />),
    },
    { key: 'expires', label: t('expires'), cell: ({ expires_at: at }) => (at === null ? t('never') : <Time at={at} as="date" />) },
    { key: 'state', label: t('state'), cell: (key) => <Status tone={KEY_TONES[stateOf(key)]} label={t(stateOf(key))} /> },
    {
      key: 'actions',
      label: t('actions'),
      cell: (key) => (key.revoked ? null : <KeyActions apiKey={key} onEdit={onEdit} onAsk={onAsk} />),
    },
  ];
  return <Rows label={t('key')} columns={columns} rows={keys} keyOf={({ id }) => id} />;
}

function KeyActions({ apiKey: key, onEdit, onAsk }: Pick<KeyRowsProps, 'onEdit' | 'onAsk'> & { readonly apiKey: ApiKey }): ReactElement {
  const t = useWords(KEYS);
  return (
    <Stack direction="row" spacing={0.5} useFlexGap sx={{ flexWrap: 'wrap', ml: -0.5 }}>
      <Button size="small" sx={{ minWidth: 0 }} aria-label={t('edit_of', { name: key.name })} onClick={() => onEdit(key)}>
        {t('edit')}
      </Button>
      <Button
        size="small"
        sx={{ minWidth: 0 }}
        aria-label={t('rotate_of', { name: key.name })}
        onClick={() => onAsk({ verb: 'rotate', key })}
      >
        {t('rotate')}
      </Button>
      <Button
        size="small"
        color="error"
        sx={{ minWidth: 0 }}
        aria-label={t('revoke_of', { name: key.name })}
        onClick={() => onAsk({ verb: 'revoke', key })}
      >
        {t('revoke')}
      </Button>
    </Stack>
  );
}

const SHOWN_SCOPES = 4;

function Scopes({ scopes }: { readonly scopes: readonly string[] }): ReactElement {
  const t = useWords(KEYS);
  const more = scopes.slice(SHOWN_SCOPES);
  return (
    <Stack direction="row" spacing={0.5} useFlexGap sx={{ flexWrap: 'wrap' }}>
      {scopes.slice(0, SHOWN_SCOPES).map((scope) => (
        <Chip key={scope} size="small" label={scope} sx={{ fontFamily: 'monospace' }} />
      ))}
      {more.length === 0 ? null : <span title={more.join(', ')}>{t('more', more.length)}</span>}
    </Stack>
  );
}

/** Keys know their accounts by id; people know them by address. */
function useEmails(ids: readonly string[]): ReadonlyMap<string, string> {
  const app = useDiscoveryIfAny()?.app.name;
  const asked = [...new Set(ids)].sort().join(',');
  const path = app === undefined || asked === '' ? undefined : `${appPath(app)}/_admin/users?per_page=100&filter[id]=${asked}`;
  const found = useRead<Paged<User>>(path).data?.data ?? [];
  return new Map(found.map(({ id, email }) => [id, email]));
}
