import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Alert, Button, IconButton, Link, Stack, Tooltip } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as To } from 'react-router-dom';
import { appPath, useSend } from '../../api/use-api.ts';
import { useDefinitions, useWrites, type Listed } from '../../definitions/definitions.ts';
import { Saved } from '../../definitions/Saved.tsx';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import type { Attachment } from './attachment.ts';
import { FUNCTIONS } from './words.ts';

export function Attachments(): ReactElement {
  const t = useWords(FUNCTIONS);
  const { app } = useDiscovery();
  const base = `/t/${app.name}/_functions`;
  const attachments = useDefinitions<Attachment>('function-attachments');
  const { remove } = useWrites<Attachment>('function-attachments');
  const [asked, setAsked] = useState<Listed<Attachment> | undefined>();
  const all = attachments.data?.data ?? [];
  const add = (
    <Button variant="contained" component={To} to={`${base}/new`}>
      {t('new')}
    </Button>
  );
  return (
    <Stack spacing={2}>
      <Saved />
      <Problem error={attachments.error} onRetry={() => void attachments.refetch()} />
      {attachments.isPending ? <Loading /> : null}
      {attachments.data === undefined ? null : all.length === 0 ? (
        <Empty action={add}>{t('none')}</Empty>
      ) : (
        <>
          <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
            {add}
            <Tests hasTests={all.some(({ tests }) => tests.length > 0)} />
          </Stack>
          <AttachmentRows attachments={all} base={base} onDelete={setAsked} />
        </>
      )}
      {asked === undefined ? null : (
        <Confirm
          title={t('delete_title', { name: asked.name })}
          action={t('delete')}
          isDestructive
          onConfirm={() => remove(asked.id)}
          onClose={() => setAsked(undefined)}
        >
          {t('delete_says')}
        </Confirm>
      )}
    </Stack>
  );
}

interface AttachmentRowsProps {
  readonly attachments: readonly Listed<Attachment>[];
  readonly base: string;
  readonly onDelete: (attachment: Listed<Attachment>) => void;
}

function AttachmentRows({ attachments, base, onDelete }: AttachmentRowsProps): ReactElement {
  const t = useWords(FUNCTIONS);
  const discovery = useDiscovery();
  const eventsOf = ({ on }: Attachment): string => (Array.isArray(on) ? on : [on]).map((event) => t(event)).join(', ');
  return (
    <Rows
      label={t('tab_attached')}
      rows={attachments}
      keyOf={({ id }) => id}
      columns={[
        {
          key: 'name',
          label: t('name'),
          cell: ({ id, name }) => (
            <Link component={To} to={`${base}/attached/${id}`}>
              {name}
            </Link>
          ),
        },
        { key: 'entity', label: t('entity'), cell: ({ entity }) => entityNamed(discovery, entity)?.label ?? entity },
        { key: 'on', label: t('on'), cell: eventsOf },
        { key: 'function', label: t('function'), cell: (each) => <code>{each.function ?? t('script')}</code> },
        { key: 'tests', label: t('tests'), align: 'right', cell: ({ tests }) => tests.length },
        {
          key: 'active',
          label: t('active'),
          cell: ({ active }) => <Status tone={active ? 'done' : 'off'} label={t(active ? 'state_on' : 'state_off')} />,
        },
        {
          key: 'tools',
          label: t('actions'),
          width: 72,
          cell: (each) => (
            <Tooltip title={t('delete_one', { name: each.name })}>
              <IconButton size="small" aria-label={t('delete_one', { name: each.name })} onClick={() => onDelete(each)}>
                <DeleteOutlined fontSize="small" />
              </IconButton>
            </Tooltip>
          ),
        },
      ]}
    />
  );
}

interface TestResult {
  readonly attachment: string;
  readonly entity: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly message: string | null;
}

const TONES: Readonly<Record<TestResult['outcome'], Tone>> = { passed: 'done', failed: 'failed', skipped: 'off' };

/** The tests that attachments bring along, run by the server. */
function Tests({ hasTests }: { readonly hasTests: boolean }): ReactElement {
  const t = useWords(FUNCTIONS);
  const { app } = useDiscovery();
  const send = useSend(NOTHING_STALE);
  const [results, setResults] = useState<readonly TestResult[] | undefined>();
  const [error, setError] = useState<unknown>();
  const run = (): void => {
    setError(undefined);
    send<{ readonly data: { readonly results: readonly TestResult[] } }>('POST', `${appPath(app.name)}/_admin/functions/test`).then(
      ({ data }) => setResults(data.results),
      setError,
    );
  };
  const failed = (results ?? []).filter(({ outcome }) => outcome === 'failed').length;
  return (
    <>
      <Button variant="outlined" disabled={!hasTests} onClick={run} {...(hasTests ? {} : { title: t('tests_none') })}>
        {t('run_tests')}
      </Button>
      <Problem error={error} />
      {results === undefined ? null : (
        <Stack spacing={1} sx={{ flexBasis: '100%' }}>
          <Alert role="status" severity={failed === 0 ? 'success' : 'error'}>
            {failed === 0 ? t('tests_passed') : t('tests_failed', failed)}
          </Alert>
          <Rows
            label={t('tests')}
            rows={results}
            keyOf={({ attachment, entity, name }) => `${entity} ${attachment} ${name}`}
            columns={[
              {
                key: 'outcome',
                label: t('outcome'),
                width: 130,
                cell: ({ outcome }) => <Status tone={TONES[outcome]} label={t(outcome)} />,
              },
              { key: 'attachment', label: t('name'), cell: ({ attachment }) => attachment },
              { key: 'test', label: t('test'), cell: ({ name }) => name },
              { key: 'message', label: t('message'), cell: ({ message }) => message ?? '–' },
            ]}
          />
        </Stack>
      )}
    </>
  );
}

const NOTHING_STALE: readonly string[] = [];
