import { Button, Dialog, DialogActions, DialogContent, DialogTitle, MenuItem, Stack, TextField } from '@mui/material';
import { useId, useState, type ReactElement, type SubmitEvent } from 'react';
import { useNavigate } from 'react-router-dom';
import { useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Problem } from '../../ui/Problem.tsx';
import { ROLLOUTS_PATH, type RolloutView } from './rollout.ts';
import { ROLLOUTS } from './words.ts';

interface NewRolloutProps {
  /** Chosen already, when one comes from a schema. */
  readonly schema: string;
  readonly onClose: () => void;
}

interface Wanted {
  readonly schema: string;
  readonly version: string;
  readonly canary: string;
  readonly bake: string;
  readonly max_failures: string;
  readonly parallel: string;
}

const bodyOf = ({ schema, version, canary, bake, max_failures: failures, parallel }: Wanted): object => ({
  schema,
  version: Number(version),
  ...(canary === '' ? {} : { canary: Number(canary) }),
  ...(bake === '' ? {} : { bake }),
  ...(failures === '' ? {} : { max_failures: Number(failures) }),
  ...(parallel === '' ? {} : { parallel: Number(parallel) }),
});

export function NewRollout({ schema, onClose }: NewRolloutProps): ReactElement {
  const t = useWords(ROLLOUTS);
  const id = useId();
  const send = useSend();
  const navigate = useNavigate();
  const [wanted, setWanted] = useState<Wanted>({ schema, version: '', canary: '', bake: '', max_failures: '', parallel: '' });
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const schemas = useRead<{ data: readonly { readonly name: string }[] }>('/api/_platform/schemas');
  const versions = useRead<{ data: readonly { readonly version: number }[] }>(
    wanted.schema === '' ? undefined : `/api/_platform/schemas/${encodeURIComponent(wanted.schema)}/versions`,
  );
  const change = (part: Partial<Wanted>): void => setWanted({ ...wanted, ...part });
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    send<{ data: RolloutView }>('POST', ROLLOUTS_PATH, bodyOf(wanted))
      .then(({ data }) => navigate(`/platform/rollouts/${data.id}`), setError)
      .finally(() => setBusy(false));
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="sm">
      <form onSubmit={submit}>
        <DialogTitle id={id}>{t('new')}</DialogTitle>
        <DialogContent>
          <Stack spacing={2} sx={{ pt: 1 }}>
            <Problem error={error ?? schemas.error ?? versions.error} />
            <TextField
              select
              required
              size="small"
              label={t('schema')}
              value={schemas.data === undefined ? '' : wanted.schema}
              onChange={(event) => change({ schema: event.target.value, version: '' })}
            >
              {(schemas.data?.data ?? []).map(({ name }) => (
                <MenuItem key={name} value={name}>
                  {name}
                </MenuItem>
              ))}
            </TextField>
            <TextField
              select
              required
              size="small"
              label={t('version')}
              disabled={wanted.schema === ''}
              value={versions.data === undefined ? '' : wanted.version}
              onChange={(event) => change({ version: event.target.value })}
            >
              {(versions.data?.data ?? []).map(({ version }) => (
                <MenuItem key={version} value={String(version)}>
                  {version}
                </MenuItem>
              ))}
            </TextField>
            <Amount
              label={t('canary')}
              help={t('canary_help')}
              value={wanted.canary}
              most={100}
              onChange={(canary) => change({ canary })}
            />
            <TextField
              size="small"
              label={t('bake')}
              helperText={t('bake_help')}
              value={wanted.bake}
              onChange={(event) => change({ bake: event.target.value })}
            />
            <Amount label={t('max_failures')} value={wanted.max_failures} least={0} onChange={(value) => change({ max_failures: value })} />
            <Amount label={t('parallel')} value={wanted.parallel} most={50} onChange={(parallel) => change({ parallel })} />
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" disabled={isBusy || wanted.schema === '' || wanted.version === ''}>
            {t('start')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface AmountProps {
  readonly label: string;
  readonly help?: string;
  readonly value: string;
  readonly least?: number;
  readonly most?: number;
  readonly onChange: (value: string) => void;
}

function Amount({ label, help, value, least = 1, most, onChange }: AmountProps): ReactElement {
  return (
    <TextField
      size="small"
      type="number"
      label={label}
      helperText={help}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      slotProps={{ htmlInput: { min: least, max: most } }}
    />
  );
}
