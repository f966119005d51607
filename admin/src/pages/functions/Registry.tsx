import { Box, Button, Paper, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as To } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import type { RegistryFunction } from './attachment.ts';
import { FUNCTIONS } from './words.ts';

export function useRegistry() {
  const { app } = useDiscovery();
  return useRead<{ readonly data: readonly RegistryFunction[] }>(`${appPath(app.name)}/_admin/functions`);
}

const KINDS = ['validator', 'transform', 'hook', 'integration'] as const;

/** Every function there is, with its parameters, what it answers and refuses, and an example. */
export function Registry(): ReactElement {
  const t = useWords(FUNCTIONS);
  const registry = useRegistry();
  const [typed, setTyped] = useState('');
  const shown = (registry.data?.data ?? []).filter(({ name, summary }) =>
    `${name} ${summary}`.toLowerCase().includes(typed.trim().toLowerCase()),
  );
  return (
    <Stack spacing={2}>
      <Problem error={registry.error} onRetry={() => void registry.refetch()} />
      {registry.isPending ? <Loading lines={8} /> : null}
      {registry.data === undefined ? null : (
        <TextField size="small" label={t('find')} value={typed} onChange={(event) => setTyped(event.target.value)} sx={{ maxWidth: 360 }} />
      )}
      {registry.data !== undefined && shown.length === 0 ? <Empty>{t('nothing_found')}</Empty> : null}
      {KINDS.map((kind) => {
        const those = shown.filter((each) => each.kind === kind);
        return those.length === 0 ? null : (
          <section key={kind} aria-label={t(`kind_${kind}`)}>
            <Typography component="h2" variant="h6" sx={{ mb: 1 }}>
              {t(`kind_${kind}`)}
            </Typography>
            <Box
              sx={{
                display: 'grid',
                gap: 1.5,
                gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: 'repeat(2, minmax(0, 1fr))', xl: 'repeat(3, minmax(0, 1fr))' },
              }}
            >
              {those.map((each) => (
                <FunctionCard key={each.name} spec={each} />
              ))}
            </Box>
          </section>
        );
      })}
    </Stack>
  );
}

function FunctionCard({ spec }: { readonly spec: RegistryFunction }): ReactElement {
  const t = useWords(FUNCTIONS);
  const { app } = useDiscovery();
  const [example] = spec.examples;
  return (
    <Paper variant="outlined" component="article" aria-label={spec.name} sx={{ p: 1.5, display: 'flex', flexDirection: 'column', gap: 1 }}>
      <Stack direction="row" spacing={1} sx={{ alignItems: 'baseline', justifyContent: 'space-between' }}>
        <Typography component="h3" sx={{ fontFamily: 'monospace', fontWeight: 600, overflowWrap: 'anywhere' }}>
          {spec.name}
        </Typography>
        <Typography variant="caption" sx={{ color: 'text.secondary', whiteSpace: 'nowrap' }}>
          {t(spec.runs)}
        </Typography>
      </Stack>
      <Typography variant="body2">{spec.summary}</Typography>
      <Parameters spec={spec} />
      {example === undefined ? null : (
        <Typography component="div" variant="caption" sx={{ fontFamily: 'monospace', color: 'text.secondary', overflowWrap: 'anywhere' }}>
          {JSON.stringify(example.params)} → {JSON.stringify(example.result)}
        </Typography>
      )}
      <Box sx={{ mt: 'auto' }}>
        <Button size="small" component={To} to={`/t/${app.name}/_functions/new?function=${spec.name}`}>
          {t('use', { name: spec.name })}
        </Button>
      </Box>
    </Paper>
  );
}

function Parameters({ spec: { parameters } }: { readonly spec: RegistryFunction }): ReactElement {
  const t = useWords(FUNCTIONS);
  return (
    <Box
      component="dl"
      sx={{ m: 0, display: 'grid', gridTemplateColumns: 'max-content minmax(0, 1fr)', columnGap: 1.5, rowGap: 0.25, fontSize: 12 }}
    >
      {Object.entries(parameters.properties ?? {}).map(([name, { description }]) => (
        <Box key={name} sx={{ display: 'contents' }}>
          <Box component="dt" sx={{ fontFamily: 'monospace' }}>
            {name}
          </Box>
          <Box component="dd" sx={{ m: 0, color: 'text.secondary' }}>
            {description} {parameters.required?.includes(name) === true ? `(${t('required')})` : ''}
          </Box>
        </Box>
      ))}
    </Box>
  );
}
