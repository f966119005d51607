/** Retry (with values put into the context first), skip, rewind or cancel one run. */
import { MenuItem, Stack, TextField } from '@mui/material';
import { lazy, Suspense, useState, type ReactElement } from 'react';
import { appPath, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { readObject } from '../../ui/json.ts';
import { Loading } from '../../ui/Page.tsx';
import type { Run } from './run.ts';
import { RUNS } from './words.ts';

const CodeEditor = lazy(() => import('../../ui/CodeEditor.tsx'));

export type RunVerb = 'retry' | 'skip' | 'rewind' | 'cancel';

interface OperateRunProps {
  readonly run: Run;
  readonly verb: RunVerb;
  readonly onClose: () => void;
}

const ALL = '';

export function OperateRun({ run, verb, onClose }: OperateRunProps): ReactElement {
  const t = useWords(RUNS);
  const { app } = useDiscovery();
  const send = useSend();
  const [context, setContext] = useState('');
  const failed = run.current_steps.filter(({ error }) => error !== null);
  const [strand, setStrand] = useState(ALL);
  const entered = [...new Set(run.history.map(({ step }) => step))].filter((step) => step !== run.current_step);
  const [to, setTo] = useState(entered[0] ?? '');
  const act = async (): Promise<void> => {
    const which = strand === ALL ? {} : { strand };
    const bodies = {
      retry: () => ({ ...which, ...(context.trim() === '' ? {} : { context: parseObject(context, t('not_json')) }) }),
      skip: () => which,
      rewind: () => ({ to }),
      cancel: () => ({}),
    };
    await send('POST', `${appPath(app.name)}/_workflows/${run.id}/${verb}`, bodies[verb]());
  };
  return (
    <Confirm title={t(verb)} action={t(verb)} isDestructive={verb === 'cancel'} onConfirm={act} onClose={onClose}>
      {verb === 'cancel' ? t('cancel_help') : null}
      <Stack spacing={2} sx={{ pt: 1 }}>
        {(verb === 'retry' || verb === 'skip') && failed.length > 1 ? (
          <TextField select size="small" label={t('which')} value={strand} onChange={(event) => setStrand(event.target.value)}>
            <MenuItem value={ALL}>{t('every_failed')}</MenuItem>
            {failed.map((one) => (
              <MenuItem key={one.strand} value={one.strand}>
                {one.step} ({one.strand})
              </MenuItem>
            ))}
          </TextField>
        ) : null}
        {verb === 'retry' ? (
          <Suspense fallback={<Loading lines={2} />}>
            <CodeEditor
              label={t('edit_context')}
              placeholder={t('edit_context')}
              language="json"
              isSmall
              value={context}
              onChange={setContext}
              minHeight={80}
            />
          </Suspense>
        ) : null}
        {verb === 'rewind' ? (
          <TextField
            select
            size="small"
            label={t('rewind_to')}
            helperText={t('rewind_help')}
            value={to}
            onChange={(event) => setTo(event.target.value)}
          >
            {entered.map((step) => (
              <MenuItem key={step} value={step}>
                {step}
              </MenuItem>
            ))}
          </TextField>
        ) : null}
      </Stack>
    </Confirm>
  );
}

function parseObject(text: string, complaint: string): object {
  const value = readObject(text);
  if (value === undefined) throw new Error(complaint);
  return value;
}
