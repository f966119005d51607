import { Button, Stack, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import type { Factor } from '../../accounts/account.ts';
import { useProof } from '../../accounts/use-proof.ts';
import { useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Section } from '../../ui/Section.tsx';
import { Status } from '../../ui/Status.tsx';
import { SetUpFactor } from './SetUpFactor.tsx';
import { ACCOUNT } from './words.ts';

/** One's second factor: whether it is on, setting it up, and turning it off. */
export function OwnFactor({ path }: { readonly path: string }): ReactElement {
  const t = useWords(ACCOUNT);
  const read = useRead<{ data: Factor }>(path);
  const [open, setOpen] = useState<'set_up' | 'turn_off'>();
  const factor = read.data?.data;
  const close = (): void => setOpen(undefined);
  return (
    <Section title={t('factor')} help={t('factor_help')}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {factor === undefined ? null : (
        <Stack direction="row" spacing={2} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
          <Status tone={factor.enabled ? 'done' : 'off'} label={t(factor.enabled ? 'factor_on' : 'factor_off')} />
          {factor.enabled ? <span>{t('left', factor.recovery_codes_left)}</span> : null}
          <Button
            variant={factor.enabled ? 'text' : 'contained'}
            color={factor.enabled ? 'error' : 'primary'}
            onClick={() => setOpen(factor.enabled ? 'turn_off' : 'set_up')}
          >
            {t(factor.enabled ? 'turn_off' : 'set_up')}
          </Button>
        </Stack>
      )}
      {open === 'set_up' ? <SetUpFactor path={path} onClose={close} /> : null}
      {open === 'turn_off' ? <TurnOff path={path} onClose={close} /> : null}
    </Section>
  );
}

function TurnOff({ path, onClose }: { readonly path: string; readonly onClose: () => void }): ReactElement {
  const t = useWords(ACCOUNT);
  const prove = useProof();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  return (
    <Confirm
      title={t('turn_off')}
      action={t('turn_off')}
      isDestructive
      onConfirm={() => prove('DELETE', path, { password, code })}
      onClose={onClose}
      extra={
        <>
          <TextField
            autoFocus
            size="small"
            type="password"
            autoComplete="current-password"
            label={t('current')}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
          <TextField
            size="small"
            autoComplete="one-time-code"
            label={t('code')}
            helperText={t('code_help')}
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        </>
      }
    >
      {t('turn_off_says')}
    </Confirm>
  );
}
