/** Brings a document in: a file or pasted text, JSON or YAML; shows what was understood, item by item. */
import {
  Alert,
  Box,
  Button,
  FormControl,
  FormControlLabel,
  FormLabel,
  Paper,
  Radio,
  RadioGroup,
  Stack,
  Table,
  TableBody,
  TableCell,
  TableHead,
  TableRow,
  TextField,
} from '@mui/material';
import { useState, type ChangeEvent, type ReactElement } from 'react';
import { Title } from 'react-admin';
import { ApiError } from '../../../client/client.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import { messageOf } from '../providers/data-provider.ts';
import { client } from '../session.ts';
import { useReload } from '../shell/reload.ts';
import { spaced } from '../ui/spaced.ts';

type Mode = 'skip' | 'merge' | 'replace';

interface Report {
  readonly message: string;
  readonly summary: Readonly<Record<string, number>>;
}

export default function Import(): ReactElement {
  const onImported = useReload();
  const discovery = useDiscovery();
  const [text, setText] = useState('');
  const [mode, setMode] = useState<Mode>('skip');
  const [report, setReport] = useState<Report | undefined>();
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);

  const pick = (event: ChangeEvent<HTMLInputElement>): void => {
    const file = event.target.files?.[0];
    if (file !== undefined) void file.text().then(setText);
  };
  const send = (): void => {
    setBusy(true);
    setReport(undefined);
    setProblems([]);
    const isJson = text.trimStart().startsWith('{');
    client
      .call<{ data: Report }>(`/api/${encodeURIComponent(discovery.app.name)}/_admin/import?mode=${mode}`, {
        method: 'POST',
        text: { type: isJson ? 'application/json' : 'application/yaml', content: text },
      })
      .then(({ body }) => {
        setReport(body.data);
        return onImported();
      })
      .catch((error: unknown) => setProblems(problemsOf(error)))
      .finally(() => setBusy(false));
  };

  return (
    <Box sx={{ maxWidth: 900, py: 2 }}>
      <Title title="Schema import" />
      <Stack spacing={2} component={Paper} variant="outlined" sx={{ p: 3 }}>
        <Button component="label" variant="outlined" sx={{ alignSelf: 'start' }}>
          Choose a file
          <input
            type="file"
            accept=".json,.yaml,.yml"
            onChange={pick}
            style={{ position: 'absolute', width: 1, height: 1, opacity: 0 }}
            aria-label="Schema file"
          />
        </Button>
        <TextField
          label="Document (JSON or YAML)"
          value={text}
          onChange={(event) => setText(event.target.value)}
          multiline
          minRows={8}
          maxRows={24}
          fullWidth
          slotProps={{ htmlInput: { spellCheck: false, style: { fontFamily: 'ui-monospace, monospace', fontSize: 12 } } }}
        />
        <FormControl>
          <FormLabel id="mode">What is there already</FormLabel>
          <RadioGroup row aria-labelledby="mode" value={mode} onChange={(event) => setMode(event.target.value as Mode)}>
            <FormControlLabel value="skip" control={<Radio />} label="stays as it is" />
            <FormControlLabel value="merge" control={<Radio />} label="is updated" />
            <FormControlLabel value="replace" control={<Radio />} label="is replaced by the document" />
          </RadioGroup>
        </FormControl>
        <Button variant="contained" disabled={isBusy || text.trim() === ''} onClick={send} sx={{ alignSelf: 'start' }}>
          Import
        </Button>
        <Box role="status">
          {problems.map((problem) => (
            <Alert key={problem} severity="error" sx={{ mb: 1 }}>
              {problem}
            </Alert>
          ))}
          {report === undefined ? null : <ReportTable report={report} />}
        </Box>
      </Stack>
    </Box>
  );
}

function ReportTable({ report }: { readonly report: Report }): ReactElement {
  return (
    <>
      <Alert severity="success">{report.message}</Alert>
      <Table size="small" aria-label="Imported items">
        <TableHead>
          <TableRow>
            <TableCell>Section</TableCell>
            <TableCell align="right">New</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {Object.entries(report.summary).map(([section, count]) => (
            <TableRow key={section}>
              <TableCell>{spaced(section)}</TableCell>
              <TableCell align="right">{count}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </>
  );
}

function problemsOf(error: unknown): string[] {
  if (!(error instanceof ApiError)) return ['The document could not be sent.'];
  const details = error.body?.error.details ?? [];
  return [messageOf(error), ...details.map((detail) => `${detail.path ?? detail.field ?? ''}: ${detail.message}`)];
}
