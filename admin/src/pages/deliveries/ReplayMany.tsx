import { MenuItem, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { isoOf, localOf, REPLAYABLE, type Replayable } from './delivery.ts';
import { useWebhooks } from './use-webhooks.ts';
import { DELIVERIES } from './words.ts';

interface ReplayManyProps {
  /** Of the list: what it may narrow stands in the dialog at first. */
  readonly filter: URLSearchParams;
  readonly onClose: () => void;
}

export function ReplayMany({ filter, onClose }: ReplayManyProps): ReactElement {
  const t = useWords(DELIVERIES);
  const { app } = useDiscovery();
  const send = useSend();
  const base = `${appPath(app.name)}/_admin/deliveries`;
  const { webhooks, nameOf } = useWebhooks();
  const [status, setStatus] = useState<Replayable>(filter.get('status') === 'delivered' ? 'delivered' : 'dead');
  const [webhook, setWebhook] = useState(filter.get('webhook') ?? '');
  const [times, setTimes] = useState({ from: filter.get('from') ?? '', to: filter.get('to') ?? '' });
  const narrowed = Object.fromEntries(Object.entries({ webhook, ...times }).filter(([, value]) => value !== ''));
  const query = new URLSearchParams({ status, ...narrowed, page: '1', per_page: '1' });
  const total = useRead<{ meta: { total: number } }>(`${base}?${query.toString()}`).data?.meta.total;
  const inputs = (
    <Stack spacing={2}>
      <TextField
        select
        size="small"
        label={t('replay_which')}
        value={status}
        onChange={(event) => setStatus(event.target.value as Replayable)}
      >
        {REPLAYABLE.map((one) => (
          <MenuItem key={one} value={one}>
            {t(`replay_${one}`)}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        select
        size="small"
        label={t('webhook')}
        value={webhook}
        onChange={(event) => setWebhook(event.target.value)}
        slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
      >
        <MenuItem value="">{t('any_webhook')}</MenuItem>
        {webhooks.map(({ id }) => (
          <MenuItem key={id} value={id}>
            {nameOf(id)}
          </MenuItem>
        ))}
      </TextField>
      <Stack direction={{ xs: 'column', sm: 'row' }} spacing={2}>
        {(['from', 'to'] as const).map((name) => (
          <TextField
            key={name}
            fullWidth
            size="small"
            type="datetime-local"
            label={t(name)}
            value={localOf(times[name] === '' ? null : times[name])}
            onChange={(event) => setTimes({ ...times, [name]: isoOf(event.target.value) })}
            slotProps={{ inputLabel: { shrink: true } }}
          />
        ))}
      </Stack>
      <Typography role="status">{total === undefined ? '' : t('replay_count', total)}</Typography>
    </Stack>
  );
  return (
    <Confirm
      title={t('replay_title')}
      action={t('replay')}
      extra={inputs}
      onConfirm={() => send('POST', `${base}/replay`, { status, ...narrowed })}
      onClose={onClose}
    >
      {t('replay_says')}
    </Confirm>
  );
}
