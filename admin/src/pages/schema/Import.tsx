/** Brings a document in: a file or pasted text, JSON or YAML; into the draft, or at once, with what was understood item by item. */
import {
  Alert,
  Button,
  FormControl,
  FormControlLabel,
  FormLabel,
  Paper,
  Radio,
  RadioGroup,
  Stack,
  TextField,
  Typography,
} from '@mui/material';
import { useState, type ChangeEvent, type ReactElement } from 'react';
import { useLocation, useNavigate } from 'react-router-dom';
import { appPath, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { spaced } from '../../ui/spaced.ts';
import { useDraft } from './draft.ts';
import { SCHEMA } from './words.ts';

const MODES = ['skip', 'merge', 'replace'] as const;
type Mode = (typeof MODES)[number];

interface Report {
  readonly message: string;
  readonly summary: Readonly<Record<string, number>>;
}

const isJson = (text: string): boolean => text.trimStart().startsWith('{');

export default function Import(): ReactElement {
  const t = useWords(SCHEMA);
  const { isChanged } = useDraft();
  const [text, setText] = useState('');
  const [mode, setMode] = useState<Mode>('skip');
  const [isAsking, setAsking] = useState(false);
  const { isBusy, problem, report, send } = useImport();
  const pick = (event: ChangeEvent<HTMLInputElement>): void => {
    void event.target.files?.[0]?.text().then(setText);
  };
  return (
    <Stack spacing={2} component={Paper} variant="outlined" sx={{ p: { xs: 2, sm: 3 }, maxWidth: 900 }}>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {t('import_help')}
      </Typography>
      <Button component="label" role={undefined} tabIndex={-1} variant="outlined" sx={{ alignSelf: 'start' }}>
        {t('choose_file')}
        <input
          type="file"
          accept=".json,.yaml,.yml"
          onChange={pick}
          style={{ position: 'absolute', width: 1, height: 1, opacity: 0 }}
          aria-label={t('schema_file')}
        />
      </Button>
      <TextField
        label={t('document')}
        value={text}
        onChange={(event) => setText(event.target.value)}
        multiline
        minRows={8}
        maxRows={24}
        fullWidth
        slotProps={{ htmlInput: { spellCheck: false, style: { fontFamily: 'monospace', fontSize: 12 } } }}
      />
      <FormControl>
        <FormLabel id="mode">{t('mode')}</FormLabel>
        <RadioGroup row aria-labelledby="mode" value={mode} onChange={(event) => setMode(event.target.value as Mode)}>
          {MODES.map((one) => (
            <FormControlLabel key={one} value={one} control={<Radio size="small" />} label={t(`mode_${one}`)} />
          ))}
        </RadioGroup>
      </FormControl>
      {isChanged ? <Alert severity="info">{t('draft_waits')}</Alert> : null}
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
        <Button
          variant="contained"
          disabled={isBusy || text.trim() === ''}
          onClick={() => (mode === 'replace' ? setAsking(true) : void send(text, mode))}
        >
          {t('import_now')}
        </Button>
        <IntoDraft text={text} />
      </Stack>
      <div role="status">
        <Problem error={problem} />
        {report === undefined ? null : <ReportTable report={report} />}
      </div>
      {isAsking ? <Replace onConfirm={() => send(text, mode)} onClose={() => setAsking(false)} /> : null}
    </Stack>
  );
}

function Replace({ onConfirm, onClose }: { readonly onConfirm: () => Promise<unknown>; readonly onClose: () => void }): ReactElement {
  const t = useWords(SCHEMA);
  const { app } = useDiscovery();
  return (
    <Confirm
      title={t('import_replace_title')}
      action={t('import_now')}
      isDestructive
      typed={app.name}
      onConfirm={onConfirm}
      onClose={onClose}
    >
      {t('import_replace_body')}
    </Confirm>
  );
}

/** What is refused is shown on the page, not in a dialog that is gone. */
function useImport(): {
  readonly isBusy: boolean;
  readonly problem: unknown;
  readonly report: Report | undefined;
  readonly send: (text: string, mode: Mode) => Promise<void>;
} {
  const { app } = useDiscovery();
  const send = useSend();
  const reload = useReload();
  const navigate = useNavigate();
  const location = useLocation();
  const [state, setState] = useState<{ readonly isBusy: boolean; readonly problem?: unknown }>({ isBusy: false });
  return {
    isBusy: state.isBusy,
    problem: state.problem,
    report: (location.state as { readonly imported?: Report } | null)?.imported,
    send: async (text, mode) => {
      setState({ isBusy: true });
      // Replacing says that what vanishes is meant to: its name was typed.
      const query = mode === 'replace' ? `mode=${mode}&confirm=drop` : `mode=${mode}`;
      const type = isJson(text) ? 'application/json' : 'application/yaml';
      try {
        const path = `${appPath(app.name)}/_admin/import?${query}`;
        const { data } = await send<{ data: Report }>('POST', path, undefined, { text: { type, content: text } });
        setState({ isBusy: false });
        // In the state of the address it outlives the pages, which a new version makes anew.
        await navigate(location.pathname, { replace: true, state: { imported: data } });
        await reload();
      } catch (problem) {
        setState({ isBusy: false, problem });
      }
    },
  };
}

function IntoDraft({ text }: { readonly text: string }): ReactElement {
  const t = useWords(SCHEMA);
  const { dispatch } = useDraft();
  const { app } = useDiscovery();
  const navigate = useNavigate();
  const open = async (): Promise<void> => {
    const { readText } = await import('../../document/text.ts');
    const format = isJson(text) ? 'json' : 'yaml';
    dispatch({ kind: 'type', text, ...readText(text, format), format, at: Date.now() });
    await navigate(`/t/${app.name}/_schema/code`);
  };
  return (
    <Button variant="outlined" disabled={text.trim() === ''} onClick={() => void open()}>
      {t('into_draft')}
    </Button>
  );
}

function ReportTable({ report }: { readonly report: Report }): ReactElement {
  const t = useWords(SCHEMA);
  return (
    <Stack spacing={1}>
      <Alert severity="success">{report.message}</Alert>
      <Rows
        label={t('imported')}
        columns={[
          { key: 'section', label: t('section'), cell: ([section]: [string, number]) => spaced(section) },
          { key: 'count', label: t('count_new'), align: 'right', cell: ([, count]: [string, number]) => count },
        ]}
        rows={Object.entries(report.summary).filter(([, count]) => count > 0)}
        keyOf={([section]) => section}
      />
    </Stack>
  );
}
