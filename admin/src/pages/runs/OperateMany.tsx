import { Alert, Button, LinearProgress, Stack, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { RUNS } from './words.ts';

type Action = 'retry' | 'skip' | 'cancel';

interface Operation {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

interface OperateManyProps {
  /** Of the list, in the words of `_admin/runs`. */
  readonly filter: URLSearchParams;
  readonly total: number;
}

const bodyOf = (action: Action, filter: URLSearchParams): object => ({
  action,
  filter: {
    ...(filter.get('status') === 'running' ? { status: 'running' } : {}),
    ...Object.fromEntries(['workflow', 'step'].flatMap((name) => (filter.has(name) ? [[name, filter.get(name)]] : []))),
    ...(filter.has('error') ? { error_contains: filter.get('error') } : {}),
  },
});

/** One thing done to all runs that match; how far it is stays in view. Offered where it can work: on stuck runs, or to cancel running ones. */
export function OperateMany({ filter, total }: OperateManyProps): ReactElement | null {
  const t = useWords(RUNS);
  const { app } = useDiscovery();
  const send = useSend();
  const base = `${appPath(app.name)}/_admin/runs`;
  const [asked, setAsked] = useState<{ readonly action: Action; readonly total: number }>();
  const [error, setError] = useState<unknown>();
  const [operation, setOperation] = useState<string>();
  const status = filter.get('status');
  const actions: readonly Action[] = status === 'stuck' ? ['retry', 'skip', 'cancel'] : status === 'running' ? ['cancel'] : [];
  const ask = (action: Action): void => {
    setError(undefined);
    send<{ data: Operation }>('POST', `${base}/operate`, { ...bodyOf(action, filter), dry_run: true }).then(
      ({ data }) => setAsked({ action, total: data.total }),
      setError,
    );
  };
  const begin = async (action: Action): Promise<void> => {
    const { data } = await send<{ data: Operation }>('POST', `${base}/operate`, bodyOf(action, filter));
    setOperation(data.id);
  };
  if (operation === undefined && (actions.length === 0 || total === 0)) return null;
  return (
    <Stack spacing={1}>
      <Problem error={error} />
      {operation === undefined ? null : <Progress path={`${base}/operations/${operation}`} />}
      <Stack direction="row" spacing={1} sx={{ alignItems: 'center' }}>
        <Typography variant="body2">{t('operate')}:</Typography>
        {actions.map((action) => (
          <Button
            key={action}
            size="small"
            variant="outlined"
            color={action === 'cancel' ? 'error' : 'primary'}
            onClick={() => ask(action)}
          >
            {t(action)}
          </Button>
        ))}
      </Stack>
      {asked === undefined ? null : (
        <Confirm
          title={t('operate_title', { action: t(asked.action), smart_count: asked.total })}
          action={t(asked.action)}
          isDestructive={asked.action !== 'retry'}
          onConfirm={() => begin(asked.action)}
          onClose={() => setAsked(undefined)}
        >
          {t('operate_help')}
        </Confirm>
      )}
    </Stack>
  );
}

function Progress({ path }: { readonly path: string }): ReactElement | null {
  const t = useWords(RUNS);
  const [isOver, setOver] = useState(false);
  const { data, error } = useRead<{ data: Operation }>(path, { every: isOver ? false : 1_000 });
  if (data === undefined) return <Problem error={error} />;
  const { done, failed, total } = data.data;
  if (!isOver && done + failed >= total) setOver(true);
  return (
    <Alert severity={failed > 0 ? 'warning' : isOver ? 'success' : 'info'} role="status">
      {t('operating', { done, total, failed })}
      {isOver ? null : (
        <LinearProgress
          variant="determinate"
          aria-label={t('operate')}
          value={total === 0 ? 100 : ((done + failed) / total) * 100}
          sx={{ mt: 1, minWidth: 200 }}
        />
      )}
    </Alert>
  );
}
