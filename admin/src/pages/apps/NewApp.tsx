/** A new app, empty, from an example, or following a schema that exists; opened as soon as it can be used. */
import {
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  FormControl,
  FormControlLabel,
  FormLabel,
  LinearProgress,
  MenuItem,
  Radio,
  RadioGroup,
  Stack,
  TextField,
  Typography,
} from '@mui/material';
import { useId, useState, type ReactElement, type SubmitEvent } from 'react';
import { useNavigate } from 'react-router-dom';
import { useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Problem } from '../../ui/Problem.tsx';
import { appOf, APPS_PATH, type App } from './app.ts';
import { APPS } from './words.ts';

interface Example {
  readonly name: string;
  readonly entities: readonly string[];
  readonly records: number;
}

type Beginning = 'nothing' | 'example' | 'existing';
const POLL_MS = 500;

export function NewApp({ onClose }: { readonly onClose: () => void }): ReactElement {
  const t = useWords(APPS);
  const id = useId();
  const navigate = useNavigate();
  const create = useCreateApp();
  const [name, setName] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [beginning, setBeginning] = useState<Beginning>('example');
  const [example, setExample] = useState('');
  const [schema, setSchema] = useState('');
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    void create
      .begin({ name, displayName, ...(beginning === 'example' ? { example } : {}), ...(beginning === 'existing' ? { schema } : {}) })
      .then((isMade) => (isMade ? navigate(`/t/${name}`) : undefined));
  };
  const isReady = name !== '' && (beginning !== 'example' || example !== '') && (beginning !== 'existing' || schema !== '');
  return (
    <Dialog open onClose={create.step === undefined ? onClose : undefined} aria-labelledby={id} fullWidth maxWidth="sm">
      <form onSubmit={submit}>
        <DialogTitle id={id}>{t('new')}</DialogTitle>
        <DialogContent>
          <Stack spacing={2} sx={{ pt: 1 }}>
            <Problem error={create.error} />
            <TextField
              autoFocus
              required
              size="small"
              label={t('name')}
              helperText={t('name_help')}
              value={name}
              onChange={(event) => setName(event.target.value.toLowerCase().replaceAll(' ', '-'))}
            />
            <TextField
              size="small"
              label={t('display_name')}
              value={displayName}
              onChange={(event) => setDisplayName(event.target.value)}
            />
            <FormControl>
              <FormLabel id={`${id}begin`}>{t('begin_with')}</FormLabel>
              <RadioGroup
                aria-labelledby={`${id}begin`}
                value={beginning}
                onChange={(event) => setBeginning(event.target.value as Beginning)}
              >
                <FormControlLabel value="example" control={<Radio size="small" />} label={t('example')} />
                {beginning === 'example' ? <ExampleChoice value={example} onChange={setExample} /> : null}
                <FormControlLabel value="nothing" control={<Radio size="small" />} label={t('nothing')} />
                {beginning === 'nothing' ? <Help>{t('nothing_help')}</Help> : null}
                <FormControlLabel value="existing" control={<Radio size="small" />} label={t('existing')} />
                {beginning === 'existing' ? <SchemaChoice value={schema} onChange={setSchema} /> : null}
              </RadioGroup>
            </FormControl>
            {create.step === undefined ? null : (
              <div role="status">
                <Typography variant="body2">{t(create.step)}</Typography>
                <LinearProgress aria-label={t(create.step)} />
              </div>
            )}
          </Stack>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose} disabled={create.step !== undefined}>
            {t('cancel')}
          </Button>
          <Button type="submit" variant="contained" disabled={!isReady || create.step !== undefined}>
            {t('create')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface ChoiceProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const INDENT = { ml: 3.5, mb: 1 };

function Help({ children }: { readonly children: string }): ReactElement {
  return (
    <Typography variant="body2" sx={{ ...INDENT, color: 'text.secondary' }}>
      {children}
    </Typography>
  );
}

function ExampleChoice({ value, onChange }: ChoiceProps): ReactElement {
  const t = useWords(APPS);
  const { data, error } = useRead<{ data: readonly Example[] }>('/api/_platform/examples');
  const chosen = data?.data.find((example) => example.name === value);
  return (
    <Stack sx={INDENT}>
      <Problem error={error} />
      <TextField
        select
        size="small"
        label={t('example')}
        value={data === undefined ? '' : value}
        onChange={(event) => onChange(event.target.value)}
        helperText={chosen === undefined ? ' ' : t('example_help', { entities: chosen.entities.join(', '), records: chosen.records })}
      >
        {(data?.data ?? []).map((example) => (
          <MenuItem key={example.name} value={example.name}>
            {example.name}
          </MenuItem>
        ))}
      </TextField>
    </Stack>
  );
}

function SchemaChoice({ value, onChange }: ChoiceProps): ReactElement {
  const t = useWords(APPS);
  const { data, error } = useRead<{ data: readonly { readonly name: string }[] }>('/api/_platform/schemas');
  return (
    <Stack sx={INDENT}>
      <Problem error={error} />
      <TextField
        select
        size="small"
        label={t('schema')}
        value={data === undefined ? '' : value}
        onChange={(event) => onChange(event.target.value)}
        helperText={t('existing_help')}
      >
        {(data?.data ?? []).map((schema) => (
          <MenuItem key={schema.name} value={schema.name}>
            {schema.name}
          </MenuItem>
        ))}
      </TextField>
    </Stack>
  );
}

interface Wanted {
  readonly name: string;
  readonly displayName: string;
  readonly example?: string;
  readonly schema?: string;
}

interface Creation {
  readonly step: 'creating' | 'loading_example' | undefined;
  readonly error: unknown;
  /** True when the app can be used. What was made before a failure stays, and a second try goes on with it. */
  readonly begin: (wanted: Wanted) => Promise<boolean>;
}

function useCreateApp(): Creation {
  const send = useSend();
  const [step, setStep] = useState<Creation['step']>();
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState<string>();
  const make = async ({ name, displayName, example, schema }: Wanted): Promise<void> => {
    if (made !== name) {
      const body = { name, ...(displayName === '' ? {} : { display_name: displayName }), ...(schema === undefined ? {} : { schema }) };
      await send('POST', APPS_PATH, body);
      setMade(name);
    }
    while ((await send<{ data: App }>('GET', appOf(name))).data.status === 'provisioning') await pause(POLL_MS);
    if (example === undefined) return;
    setStep('loading_example');
    const document = await send('GET', `/api/_platform/examples/${encodeURIComponent(example)}`);
    await send('POST', `/api/${encodeURIComponent(name)}/_admin/import?events=none`, document);
  };
  return {
    step,
    error,
    begin: async (wanted) => {
      setStep('creating');
      setError(undefined);
      try {
        await make(wanted);
        return true;
      } catch (problem) {
        setError(problem);
        return false;
      } finally {
        setStep(undefined);
      }
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
