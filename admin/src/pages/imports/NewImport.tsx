/** Choosing a file, or pasting rows, and saying what is to become of them. */
import UploadFileOutlined from '@mui/icons-material/UploadFileOutlined';
import { Box, Button, FormControlLabel, FormLabel, MenuItem, Radio, RadioGroup, Stack, TextField, Typography } from '@mui/material';
import { useId, useRef, useState, type ReactElement, type ReactNode } from 'react';
import { Link as RouterLink, useNavigate, useSearchParams } from 'react-router-dom';
import type { Import } from '../../../../client/client.ts';
import { appPath, useSend } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { importable, uniquesOf } from './import.ts';
import { IMPORTS } from './words.ts';

type Choices = Readonly<Record<string, string>>;

const FIRST: Choices = {
  mode: 'create',
  on_error: 'all_or_nothing',
  encoding: '',
  delimiter: '',
  decimal: '',
  dates: 'iso',
  empty: 'default',
  events: 'normal',
};
/** Larger files are packed on their way. */
const WORTH_PACKING = 256 * 1024;

export function NewImport(): ReactElement {
  const t = useWords(IMPORTS);
  const discovery = useDiscovery();
  const app = discovery.app.name;
  const [params, setParams] = useSearchParams();
  const entities = importable(discovery);
  const entity = entityNamed(discovery, params.get('entity') ?? '') ?? entities[0];
  const send = useSend();
  const navigate = useNavigate();
  const [file, setFile] = useState<File>();
  const [text, setText] = useState('');
  const [isText, setIsText] = useState(false);
  const [choices, setChoices] = useState<Choices>(FIRST);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const given = isText ? (text.trim() === '' ? undefined : new Blob([text])) : file;
  const choose = (name: string, value: string): void => setChoices({ ...choices, [name]: value });
  const submit = async (): Promise<void> => {
    if (given === undefined || entity === undefined) return;
    setBusy(true);
    setError(undefined);
    try {
      const type = typeOf(isText ? undefined : file?.name);
      const packed = await packedIfLarge(given);
      const { data } = await send<{ data: Import }>(
        'POST',
        `${appPath(app)}/${encodeURIComponent(entity.name)}/_import?${queryOf(choices, isText ? undefined : file?.name)}`,
        undefined,
        { text: { type, content: packed }, headers: packed === given ? {} : { 'content-encoding': 'gzip' } },
      );
      await navigate(`/t/${app}/_imports/${data.id}`);
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <Page
      title={entity === undefined ? t('new') : t('of_entity', { entity: entity.label })}
      description={t('nothing_yet')}
      width="form"
      actions={
        <Button component={RouterLink} to={`/t/${app}/_imports`}>
          {t('all')}
        </Button>
      }
    >
      <Stack
        component="form"
        spacing={2}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Problem error={error} />
        <TextField
          select
          size="small"
          label={t('into')}
          value={entity?.name ?? ''}
          onChange={(event) => setParams({ entity: event.target.value }, { replace: true })}
        >
          {entities.map((one) => (
            <MenuItem key={one.name} value={one.name}>
              {one.label}
            </MenuItem>
          ))}
        </TextField>
        <Source {...{ file, setFile, text, setText, isText, setIsText }} />
        <Options
          choices={choices}
          choose={choose}
          uniques={entity === undefined ? [] : uniquesOf(entity)}
          isAdmin={discovery.user.is_admin}
        />
        <Box>
          <Button type="submit" variant="contained" disabled={given === undefined || isBusy}>
            {isBusy ? t('sending') : t('send')}
          </Button>
        </Box>
      </Stack>
    </Page>
  );
}

const ACCEPTED = '.csv,.tsv,.txt,.ndjson,.jsonl,text/csv';

interface SourceProps {
  readonly file: File | undefined;
  readonly setFile: (file: File | undefined) => void;
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly isText: boolean;
  readonly setIsText: (isText: boolean) => void;
}

function Source({ file, setFile, text, setText, isText, setIsText }: SourceProps): ReactElement {
  const t = useWords(IMPORTS);
  const format = useFormat();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  return (
    <Stack spacing={1}>
      <FormLabel id={id}>{t('source')}</FormLabel>
      <RadioGroup row aria-labelledby={id} value={isText ? 'text' : 'file'} onChange={(_, value) => setIsText(value === 'text')}>
        <FormControlLabel value="file" control={<Radio />} label={t('from_file')} />
        <FormControlLabel value="text" control={<Radio />} label={t('from_text')} />
      </RadioGroup>
      {isText ? (
        <TextField
          multiline
          minRows={6}
          maxRows={16}
          label={t('paste')}
          helperText={t('paste_help')}
          value={text}
          onChange={(event) => setText(event.target.value)}
          slotProps={{ htmlInput: { spellCheck: false, style: { fontFamily: 'monospace' } } }}
        />
      ) : (
        <Stack direction="row" spacing={2} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
          <Button variant="outlined" startIcon={<UploadFileOutlined />} onClick={() => input.current?.click()}>
            {t('choose')}
          </Button>
          <input ref={input} type="file" hidden accept={ACCEPTED} onChange={(event) => setFile(event.target.files?.[0])} />
          <Typography variant="body2" role="status" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
            {file === undefined ? t('formats') : t('chosen', { name: file.name, size: format.bytes(file.size) })}
          </Typography>
        </Stack>
      )}
    </Stack>
  );
}

interface OptionsProps {
  readonly choices: Choices;
  readonly choose: (name: string, value: string) => void;
  readonly uniques: readonly { readonly name: string; readonly label: string }[];
  readonly isAdmin: boolean;
}

function Options({ choices, choose, uniques, isAdmin }: OptionsProps): ReactElement {
  const t = useWords(IMPORTS);
  const select = (name: string, label: string, options: readonly (readonly [value: string, label: ReactNode])[]): ReactElement => (
    <TextField
      select
      size="small"
      label={label}
      value={choices[name] ?? options[0]?.[0] ?? ''}
      onChange={(event) => choose(name, event.target.value)}
      slotProps={{ inputLabel: { shrink: true }, select: { displayEmpty: true } }}
      sx={{ minWidth: 0 }}
    >
      {options.map(([value, told]) => (
        <MenuItem key={value} value={value}>
          {told}
        </MenuItem>
      ))}
    </TextField>
  );
  return (
    <>
      <Grid>
        {select('mode', t('mode'), [
          ['create', t('create')],
          ['update', t('update')],
          ['upsert', t('upsert')],
        ])}
        {choices['mode'] === 'create'
          ? null
          : select(
              'on',
              t('on'),
              uniques.map(({ name, label }) => [name, label]),
            )}
        {select('on_error', t('on_error'), [
          ['all_or_nothing', t('all_or_nothing')],
          ['skip', t('skip')],
        ])}
      </Grid>
      <Typography variant="h6" component="h2">
        {t('more')}
      </Typography>
      <Grid>
        {select('encoding', t('encoding'), [
          ['', t('encoding_auto')],
          ['windows-1252', t('encoding_old')],
        ])}
        {select('delimiter', t('delimiter'), [
          ['', t('delimiter_auto')],
          [',', ','],
          [';', ';'],
          ['tab', t('tab')],
          ['|', '|'],
        ])}
        {select('decimal', t('decimal'), [
          ['', t('decimal_plain')],
          [',', t('comma')],
          ['.', t('point')],
        ])}
        {select('dates', t('dates'), [
          ['iso', t('iso')],
          ['dmy', t('dmy')],
          ['mdy', t('mdy')],
          ['ymd', t('ymd')],
        ])}
        {select('empty', t('empty'), [
          ['default', t('empty_default')],
          ['null', t('empty_null')],
        ])}
        {isAdmin
          ? select('events', t('events'), [
              ['normal', t('events_normal')],
              ['none', t('events_none')],
            ])
          : null}
      </Grid>
    </>
  );
}

const Grid = ({ children }: { readonly children: ReactNode }): ReactElement => (
  <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: 'minmax(0, 1fr)', sm: 'repeat(2, minmax(0, 1fr))' } }}>{children}</Box>
);

function queryOf(choices: Choices, fileName: string | undefined): string {
  const { mode, on, ...others } = choices;
  const query = new URLSearchParams({ mode: mode ?? 'create', time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
  if (mode !== 'create' && on !== undefined && on !== '') query.set('on', on);
  for (const [name, value] of Object.entries(others)) if (value !== '') query.set(name, value);
  if (fileName !== undefined) query.set('file_name', fileName.slice(0, 255));
  return query.toString();
}

const TYPES: Readonly<Record<string, string>> = {
  tsv: 'text/tab-separated-values',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
};
const typeOf = (name = ''): string => TYPES[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'text/csv';

async function packedIfLarge(file: Blob): Promise<Blob> {
  if (file.size < WORTH_PACKING) return file;
  return new Response(file.stream().pipeThrough(new CompressionStream('gzip'))).blob();
}
