/** Who is away and who decides for them: one's own, those one stands in for, and for admins everybody's. */
import AddOutlined from '@mui/icons-material/AddOutlined';
import { Button, Stack, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { ABSENCES } from './words.ts';

interface Absence {
  readonly id: string;
  readonly user: string;
  readonly substitute: string;
  readonly from: string;
  readonly until: string;
  readonly is_current: boolean;
}

const PER_PAGE = 20;

export default function Absences(): ReactElement {
  const t = useWords(ABSENCES);
  const { app } = useDiscovery();
  const send = useSend();
  const [params, setParams] = useSearchParams();
  const [isAdding, setAdding] = useState(false);
  const [error, setError] = useState<unknown>();
  const base = `${appPath(app.name)}/_absences`;
  const page = Number(params.get('page') ?? '1');
  const read = useRead<{ data: readonly Absence[]; meta: { total: number } }>(`${base}?page=${page}&per_page=${PER_PAGE}`);
  const absences = read.data?.data ?? [];
  const add = (
    <Button variant="contained" startIcon={<AddOutlined />} onClick={() => setAdding(true)}>
      {t('new')}
    </Button>
  );
  const columns: readonly Column<Absence>[] = [
    { key: 'who', label: t('who'), cell: ({ user }) => user },
    { key: 'substitute', label: t('substitute'), cell: ({ substitute }) => substitute },
    { key: 'from', label: t('from'), cell: ({ from }) => <Time at={from} /> },
    { key: 'until', label: t('until'), cell: ({ until }) => <Time at={until} /> },
    {
      key: 'state',
      label: t('state'),
      cell: ({ is_current: isNow }) => <Status tone={isNow ? 'paused' : 'off'} label={t(isNow ? 'current' : 'other')} />,
    },
    {
      key: 'actions',
      label: t('actions'),
      cell: ({ id, user }) => (
        <Button size="small" aria-label={t('end_of', { user })} onClick={() => void send('DELETE', `${base}/${id}`).catch(setError)}>
          {t('end')}
        </Button>
      ),
    },
  ];
  return (
    <Page title={t('title')} description={t('description')} actions={add}>
      <Problem error={error ?? read.error} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && absences.length === 0 ? <Empty action={add}>{t('none')}</Empty> : null}
      {absences.length === 0 ? null : <Rows label={t('title')} columns={columns} rows={absences} keyOf={({ id }) => id} />}
      <Pager page={page} perPage={PER_PAGE} total={read.data?.meta.total ?? 0} onPage={(next) => setParams({ page: String(next) })} />
      {isAdding ? <NewAbsence base={base} onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

function NewAbsence({ base, onClose }: { readonly base: string; readonly onClose: () => void }): ReactElement {
  const t = useWords(ABSENCES);
  const discovery = useDiscovery();
  const send = useSend();
  const [user, setUser] = useState('');
  const [substitute, setSubstitute] = useState('');
  const [from, setFrom] = useState('');
  const [until, setUntil] = useState('');
  const enter = (): Promise<unknown> =>
    send('POST', base, { substitute, until, ...(from === '' ? {} : { from }), ...(user === '' ? {} : { user }) });
  return (
    <Confirm title={t('new')} action={t('add')} onConfirm={enter} onClose={onClose}>
      <Stack spacing={2} sx={{ pt: 1 }}>
        {discovery.user.is_admin ? (
          <TextField size="small" label={t('user')} value={user} onChange={(event) => setUser(event.target.value)} />
        ) : null}
        <TextField
          autoFocus
          required
          size="small"
          label={t('substitute_field')}
          value={substitute}
          onChange={(event) => setSubstitute(event.target.value)}
        />
        <Day label={t('from')} value={from} onChange={setFrom} />
        <Day label={t('until')} value={until} onChange={setUntil} isRequired />
      </Stack>
    </Confirm>
  );
}

interface DayProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isRequired?: boolean;
}

function Day({ label, value, onChange, isRequired = false }: DayProps): ReactElement {
  return (
    <TextField
      size="small"
      type="date"
      label={label}
      value={value}
      required={isRequired}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{ inputLabel: { shrink: true } }}
    />
  );
}
