import AddOutlined from '@mui/icons-material/AddOutlined';
import { Alert, Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack, TextField } from '@mui/material';
import { lazy, Suspense, useId, useState, type ReactElement, type ReactNode, type SubmitEvent } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { SCHEMAS } from './words.ts';

const CodeEditor = lazy(() => import('../../ui/CodeEditor.tsx'));

interface Schema {
  readonly name: string;
  readonly owner: string | null;
  readonly latest_version: number | null;
  readonly followers: readonly { readonly app: string; readonly schema_version: number }[];
}

const SCHEMAS_PATH = '/api/_platform/schemas';

/** Every schema, who owns it and who follows it; those that no app owns are published here. */
export default function Schemas(): ReactElement {
  const t = useWords(SCHEMAS);
  const [isCreating, setCreating] = useState(false);
  const [publishing, setPublishing] = useState<Schema>();
  const read = useRead<{ data: readonly Schema[] }>(SCHEMAS_PATH);
  const schemas = read.data?.data ?? [];
  const create = (
    <Button variant="contained" startIcon={<AddOutlined />} onClick={() => setCreating(true)}>
      {t('new')}
    </Button>
  );
  const columns: readonly Column<Schema>[] = [
    { key: 'name', label: t('name'), cell: ({ name }) => <strong>{name}</strong> },
    { key: 'owner', label: t('owner'), cell: ({ owner }) => owner ?? t('nobody') },
    { key: 'latest', label: t('latest'), cell: ({ latest_version: latest }) => latest ?? '–', align: 'right' },
    {
      key: 'followers',
      label: t('followers'),
      cell: ({ followers }) => followers.map(({ app, schema_version: version }) => `${app} (${version})`).join(', ') || '–',
    },
    {
      key: 'actions',
      label: t('actions'),
      cell: (schema) => (
        <Stack direction="row" spacing={1}>
          <Button size="small" onClick={() => setPublishing(schema)} aria-label={t('publish_to', { schema: schema.name })}>
            {t('publish')}
          </Button>
          <Button
            size="small"
            component={RouterLink}
            to={`/platform/rollouts?schema=${encodeURIComponent(schema.name)}`}
            aria-label={t('roll_out_of', { schema: schema.name })}
          >
            {t('roll_out')}
          </Button>
        </Stack>
      ),
    },
  ];
  return (
    <Page title={t('title')} description={t('description')} actions={create}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {read.data !== undefined && schemas.length === 0 ? <Empty action={create}>{t('none')}</Empty> : null}
      {schemas.length === 0 ? null : <Rows label={t('title')} columns={columns} rows={schemas} keyOf={({ name }) => name} />}
      {isCreating ? <NewSchema onClose={() => setCreating(false)} /> : null}
      {publishing === undefined ? null : <Publish schema={publishing} onClose={() => setPublishing(undefined)} />}
    </Page>
  );
}

function NewSchema({ onClose }: { readonly onClose: () => void }): ReactElement {
  const t = useWords(SCHEMAS);
  const id = useId();
  const send = useSend();
  const [name, setName] = useState('');
  const [error, setError] = useState<unknown>();
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    send('POST', SCHEMAS_PATH, { name }).then(onClose, setError);
  };
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="xs">
      <form onSubmit={submit}>
        <DialogTitle id={id}>{t('new')}</DialogTitle>
        <DialogContent>
          <Problem error={error} />
          <TextField
            autoFocus
            required
            fullWidth
            size="small"
            label={t('name')}
            value={name}
            onChange={(event) => setName(event.target.value)}
            sx={{ mt: 1 }}
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" variant="contained" disabled={name === ''}>
            {t('create')}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface PublishProps {
  readonly schema: Schema;
  readonly onClose: () => void;
}

interface PlanAnswer {
  readonly data: { readonly version?: number; readonly changes?: readonly unknown[] };
}

function Publish({ schema, onClose }: PublishProps): ReactElement {
  const t = useWords(SCHEMAS);
  const id = useId();
  const send = useSend();
  const [text, setText] = useState('');
  const [result, setResult] = useState<ReactNode>();
  const [error, setError] = useState<unknown>();
  const language = text.trimStart().startsWith('{') ? 'json' : 'yaml';
  const publish = (query: string): Promise<PlanAnswer> =>
    send<PlanAnswer>('POST', `${SCHEMAS_PATH}/${encodeURIComponent(schema.name)}/versions${query}`, undefined, {
      text: { type: `application/${language}`, content: text },
    });
  const tell = (work: Promise<PlanAnswer>, say: (answer: PlanAnswer['data']) => string): void => {
    setError(undefined);
    setResult(undefined);
    work.then(({ data }) => setResult(<Alert severity="success">{say(data)}</Alert>), setError);
  };
  const countOf = ({ changes = [] }: PlanAnswer['data']): string => (changes.length === 0 ? t('unchanged') : t('checked', changes.length));
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="md">
      <DialogTitle id={id}>{t('publish_to', { schema: schema.name })}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <div role="status">{result}</div>
          <Problem error={error} />
          <Suspense fallback={<Loading lines={6} />}>
            <CodeEditor label={t('document')} language={language} value={text} onChange={setText} minHeight={240} maxHeight="50vh" />
          </Suspense>
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button disabled={text.trim() === ''} onClick={() => tell(publish('?dry_run=true'), countOf)}>
          {t('check')}
        </Button>
        <Button
          variant="contained"
          disabled={text.trim() === ''}
          onClick={() =>
            tell(publish(''), (data) => (data.version === undefined ? countOf(data) : t('published', { version: data.version })))
          }
        >
          {t('publish')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
