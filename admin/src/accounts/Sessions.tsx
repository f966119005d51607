/** The open sessions of an account: one's own, or for an admin somebody else's. What is ended is refused within two seconds. */
import { Button, Stack } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useRead, useSend } from '../api/use-api.ts';
import { useWords } from '../i18n/words.ts';
import { Empty } from '../ui/Empty.tsx';
import { Loading } from '../ui/Page.tsx';
import { Problem } from '../ui/Problem.tsx';
import { Rows, type Column } from '../ui/Rows.tsx';
import { Section } from '../ui/Section.tsx';
import { Status } from '../ui/Status.tsx';
import { Time } from '../ui/Time.tsx';
import { deviceOf, type Session } from './account.ts';
import { ACCOUNTS } from './words.ts';

interface SessionsProps {
  readonly path: string;
  /** One's own: all but this one are ended. */
  readonly isOwn?: boolean;
}

export function Sessions({ path, isOwn = false }: SessionsProps): ReactElement {
  const t = useWords(ACCOUNTS);
  const send = useSend();
  const [error, setError] = useState<unknown>();
  const read = useRead<{ data: readonly Session[] }>(path);
  const sessions = read.data?.data ?? [];
  const end = (which: string): void => {
    setError(undefined);
    send('DELETE', `${path}${which}`).catch(setError);
  };
  const canEndAll = sessions.some(({ current }) => !(isOwn && current));
  return (
    <Section
      title={t('sessions')}
      actions={
        canEndAll ? (
          <Button size="small" color="error" onClick={() => end('')}>
            {t(isOwn ? 'end_others' : 'end_all')}
          </Button>
        ) : undefined
      }
    >
      <Problem error={error ?? read.error} />
      {read.isPending ? <Loading lines={2} /> : null}
      {read.data !== undefined && sessions.length === 0 ? <Empty>{t('sessions_none')}</Empty> : null}
      {sessions.length === 0 ? null : <SessionRows sessions={sessions} onEnd={(id) => end(`/${id}`)} />}
    </Section>
  );
}

interface SessionRowsProps {
  readonly sessions: readonly Session[];
  readonly onEnd: (id: string) => void;
}

function SessionRows({ sessions, onEnd }: SessionRowsProps): ReactElement {
  const t = useWords(ACCOUNTS);
  const columns: readonly Column<Session>[] = [
    {
      key: 'device',
      label: t('device'),
      cell: ({ user_agent: agent, current }) => (
        <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
          <span title={agent ?? undefined}>{deviceOf(agent)}</span>
          {current ? <Status tone="done" label={t('this_one')} /> : null}
        </Stack>
      ),
    },
    { key: 'address', label: t('address'), cell: ({ address }) => address ?? '–' },
    { key: 'used', label: t('used'), cell: ({ used_at: at }) => <Time at={at} as="ago" /> },
    { key: 'begun', label: t('begun'), cell: ({ created_at: at }) => <Time at={at} /> },
    {
      key: 'actions',
      label: t('actions'),
      cell: ({ id, user_agent: agent, address }) => (
        <Button
          size="small"
          aria-label={t('end_of', { device: deviceOf(agent), address: address ?? '–' })}
          onClick={() => onEnd(id)}
          sx={{ ml: -0.5, minWidth: 0 }}
        >
          {t('end')}
        </Button>
      ),
    },
  ];
  return <Rows label={t('sessions')} columns={columns} rows={sessions} keyOf={({ id }) => id} />;
}
