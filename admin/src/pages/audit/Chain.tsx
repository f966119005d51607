import { Alert, Box, Button, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { appPath, useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { AddressField } from '../../ui/AddressField.tsx';
import { Code } from '../../ui/Code.tsx';
import { Problem } from '../../ui/Problem.tsx';
import type { Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { actorName } from './actor.ts';
import { queryOf, type ChainEntry, type Proof } from './entry.ts';
import { FilterBar, Times, useFilter } from './Filters.tsx';
import { Found } from './Found.tsx';
import { AUDIT } from './words.ts';

export function Chain(): ReactElement {
  const t = useWords(AUDIT);
  const { app } = useDiscovery();
  const { params, choose } = useFilter();
  const columns: readonly Column<ChainEntry>[] = [
    { key: 'number', label: t('number'), align: 'right', cell: ({ number }) => number },
    { key: 'at', label: t('at'), cell: ({ at }) => <Time at={at} /> },
    {
      key: 'actor',
      label: t('actor'),
      cell: ({ actor, erased_at: erased }) => (erased === null ? actorName(actor, t) : <Status tone="off" label={t('erased')} />),
    },
    { key: 'action', label: t('action'), cell: ({ action }) => <code style={{ whiteSpace: 'nowrap' }}>{action}</code> },
    { key: 'target', label: t('target'), cell: ({ target }) => target ?? '–' },
    { key: 'details', label: t('details'), cell: ({ detail }) => <Details detail={detail} /> },
  ];
  const field = (name: 'action' | 'actor' | 'target', label: string): ReactElement => (
    <AddressField size="small" label={label} value={params.get(name) ?? ''} onChange={(typed) => choose(name, typed.trim())} />
  );
  return (
    <>
      <ProofBadge />
      <FilterBar>
        {field('action', t('action'))}
        {field('actor', t('actor_id'))}
        {field('target', t('target'))}
        <Times params={params} choose={choose} />
      </FilterBar>
      <Found<ChainEntry>
        label={t('tab_chain')}
        path={`${appPath(app.name)}/_admin/audit`}
        query={queryOf('chain', params)}
        columns={columns}
        keyOf={({ number }) => number}
        cells={({ number, at, actor, action, target, detail, hash }) => ({
          number: String(number),
          at,
          actor: actorName(actor, t),
          action,
          target: target ?? '',
          details: JSON.stringify(detail),
          hash,
        })}
        file={`${app.name}-audit`}
      />
    </>
  );
}

function Details({ detail }: Pick<ChainEntry, 'detail'>): ReactElement {
  return (
    <Box component="dl" sx={{ m: 0, fontSize: 12 }}>
      {Object.entries(detail).map(([name, member]) => (
        <Box key={name} sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 1 }}>
          <Box component="dt" sx={{ color: 'text.secondary' }}>
            {name}
          </Box>
          <Box component="dd" sx={{ m: 0, overflowWrap: 'anywhere' }}>
            {typeof member === 'string' ? member : JSON.stringify(member)}
          </Box>
        </Box>
      ))}
    </Box>
  );
}

/** Whether the chain holds, asked when the page is opened and whenever somebody wants to know. */
function ProofBadge(): ReactElement {
  const t = useWords(AUDIT);
  const { app } = useDiscovery();
  const read = useRead<{ data: Proof }>(`${appPath(app.name)}/_admin/audit/verify`);
  const proof = read.data?.data;
  return (
    <Stack spacing={1}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
        {proof === undefined ? <Status tone="waiting" label={t('checking')} /> : <ProofStatus proof={proof} />}
        {proof !== undefined && proof.erased > 0 ? <span>{t('erased_count', proof.erased)}</span> : null}
        <Button size="small" disabled={read.isFetching} onClick={() => void read.refetch()}>
          {t('check_again')}
        </Button>
      </Stack>
      {proof === undefined || proof.first_bad === null ? null : <Alert severity="error">{proof.first_bad.message}</Alert>}
      {proof === undefined || proof.head === null ? null : <Head head={proof.head} />}
    </Stack>
  );
}

function ProofStatus({ proof }: { readonly proof: Proof }): ReactElement {
  const t = useWords(AUDIT);
  if (proof.first_bad === null) return <Status tone="done" label={t('intact', proof.entries)} />;
  return <Status tone="failed" label={t('broken', { number: proof.first_bad.number })} />;
}

function Head({ head: { number, hash } }: { readonly head: NonNullable<Proof['head']> }): ReactElement {
  const t = useWords(AUDIT);
  return (
    <Box component="details">
      <Typography component="summary" variant="body2" sx={{ cursor: 'pointer' }}>
        {t('head', { number })}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary', my: 1, maxWidth: '75ch' }}>
        {t('head_help')}
      </Typography>
      <Code text={`${number} ${hash}`} label={t('hash')} />
    </Box>
  );
}
