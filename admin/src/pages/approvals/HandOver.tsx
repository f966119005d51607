import { Button, Stack, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import type { Run, Task } from '../runs/run.ts';
import { APPROVALS } from './words.ts';

interface HandOverProps {
  readonly run: Run;
  readonly task: Task;
  readonly onDone: ((outcome: string) => void) | undefined;
}

type Way = 'delegate' | 'reassign';

/** Giving one's part to somebody else, for a time; admins may have others asked altogether. */
export function HandOver({ run, task, onDone }: HandOverProps): ReactElement | null {
  const t = useWords(APPROVALS);
  const discovery = useDiscovery();
  const send = useSend();
  const [way, setWay] = useState<Way>();
  const [to, setTo] = useState('');
  const [until, setUntil] = useState('');
  if (task.kind !== 'approval') return null;
  const act = async (): Promise<void> => {
    const body =
      way === 'delegate'
        ? { to, task: task.id, ...(until === '' ? {} : { until: new Date(until).toISOString() }) }
        : { assignee: { type: 'user', user: to }, task: task.id };
    await send('POST', `${appPath(discovery.app.name)}/_workflows/${run.id}/${way}`, body);
    onDone?.(t(way === 'delegate' ? 'delegated' : 'reassigned'));
  };
  return (
    <>
      {task.can_decide ? (
        <Button size="small" onClick={() => setWay('delegate')}>
          {t('delegate')}
        </Button>
      ) : null}
      {discovery.user.is_admin ? (
        <Button size="small" onClick={() => setWay('reassign')}>
          {t('reassign')}
        </Button>
      ) : null}
      {way === undefined ? null : (
        <Confirm title={t(way)} action={t(way)} onConfirm={act} onClose={() => setWay(undefined)}>
          {t(`${way}_help`)}
          <Stack spacing={2} sx={{ mt: 2 }}>
            <TextField autoFocus required size="small" label={t('to')} value={to} onChange={(event) => setTo(event.target.value)} />
            {way === 'delegate' ? (
              <TextField
                size="small"
                type="datetime-local"
                label={t('until')}
                value={until}
                onChange={(event) => setUntil(event.target.value)}
                slotProps={{ inputLabel: { shrink: true } }}
              />
            ) : null}
          </Stack>
        </Confirm>
      )}
    </>
  );
}
