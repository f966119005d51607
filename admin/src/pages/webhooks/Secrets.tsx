/** Values that headers name: set and replaced, never read back. */
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import EditOutlined from '@mui/icons-material/EditOutlined';
import { Button, IconButton, Stack, TextField, Tooltip, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Time } from '../../ui/Time.tsx';
import { WEBHOOKS } from './words.ts';

export interface KeptSecret {
  readonly name: string;
  readonly created_at: string;
}

const secretsPath = (app: string): string => `${appPath(app)}/_admin/secrets`;

export const useSecrets = () => useRead<{ readonly data: readonly KeptSecret[] }>(secretsPath(useDiscovery().app.name));

type Asked = { readonly kind: 'set' | 'forget'; readonly name: string };

export function Secrets(): ReactElement {
  const t = useWords(WEBHOOKS);
  const secrets = useSecrets();
  const kept = secrets.data?.data ?? [];
  const [asked, setAsked] = useState<Asked | undefined>();
  return (
    <Stack component="section" aria-label={t('secrets')} spacing={1}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ justifyContent: 'space-between', alignItems: 'center', flexWrap: 'wrap' }}>
        <Typography component="h2" variant="h6">
          {t('secrets')}
        </Typography>
        <Button size="small" variant="outlined" onClick={() => setAsked({ kind: 'set', name: '' })}>
          {t('set_secret')}
        </Button>
      </Stack>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {t('secrets_says')} {secrets.data !== undefined && kept.length === 0 ? t('no_secrets') : ''}
      </Typography>
      <Problem error={secrets.error} onRetry={() => void secrets.refetch()} />
      {kept.length === 0 ? null : <SecretRows kept={kept} onAsk={setAsked} />}
      {asked?.kind === 'set' ? <SetSecret name={asked.name} onClose={() => setAsked(undefined)} /> : null}
      {asked?.kind === 'forget' ? <ForgetSecret name={asked.name} onClose={() => setAsked(undefined)} /> : null}
    </Stack>
  );
}

interface SecretRowsProps {
  readonly kept: readonly KeptSecret[];
  readonly onAsk: (asked: Asked) => void;
}

function SecretRows({ kept, onAsk }: SecretRowsProps): ReactElement {
  const t = useWords(WEBHOOKS);
  const tool = (label: string, icon: ReactElement, asked: Asked): ReactElement => (
    <Tooltip title={label}>
      <IconButton size="small" aria-label={label} onClick={() => onAsk(asked)}>
        {icon}
      </IconButton>
    </Tooltip>
  );
  return (
    <Rows
      label={t('secrets')}
      rows={kept}
      keyOf={({ name }) => name}
      columns={[
        { key: 'name', label: t('secret_name'), cell: ({ name }) => <code>{name}</code> },
        { key: 'since', label: t('kept_since'), cell: ({ created_at: at }) => <Time at={at} /> },
        {
          key: 'tools',
          label: t('tools'),
          width: 96,
          cell: ({ name }) => (
            <Stack direction="row">
              {tool(t('replace_secret', { name }), <EditOutlined fontSize="small" />, { kind: 'set', name })}
              {tool(t('forget', { name }), <DeleteOutlined fontSize="small" />, { kind: 'forget', name })}
            </Stack>
          ),
        },
      ]}
    />
  );
}

interface OneSecretProps {
  readonly name: string;
  readonly onClose: () => void;
}

function SetSecret({ name: given, onClose }: OneSecretProps): ReactElement {
  const t = useWords(WEBHOOKS);
  const { app } = useDiscovery();
  const send = useSend();
  const [name, setName] = useState(given);
  const [value, setValue] = useState('');
  const inputs = (
    <Stack spacing={2}>
      <TextField
        size="small"
        required
        disabled={given !== ''}
        label={t('secret_name')}
        helperText={t('secret_name_hint')}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <TextField
        size="small"
        required
        type="password"
        autoComplete="new-password"
        label={t('secret_value')}
        value={value}
        onChange={(event) => setValue(event.target.value)}
      />
    </Stack>
  );
  return (
    <Confirm
      title={given === '' ? t('set_secret') : t('replace_secret', { name: given })}
      action={t('set')}
      extra={inputs}
      onConfirm={() => send('PUT', `${secretsPath(app.name)}/${encodeURIComponent(name.trim())}`, { value })}
      onClose={onClose}
    />
  );
}

function ForgetSecret({ name, onClose }: OneSecretProps): ReactElement {
  const t = useWords(WEBHOOKS);
  const { app } = useDiscovery();
  const send = useSend();
  return (
    <Confirm
      title={t('forget_title', { name })}
      action={t('forget_verb')}
      isDestructive
      onConfirm={() => send('DELETE', `${secretsPath(app.name)}/${encodeURIComponent(name)}`)}
      onClose={onClose}
    >
      {t('forget_says')}
    </Confirm>
  );
}
