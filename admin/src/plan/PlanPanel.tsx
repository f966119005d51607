/** What a change will do, before it does: the end of every screen that changes a schema, and what is read before an approval. */
import { Alert, Box, Paper, Stack, Typography } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import { useFormat } from '../i18n/format.ts';
import { useWords } from '../i18n/words.ts';
import { ChangeList } from './ChangeList.tsx';
import { Conversions } from './Conversions.tsx';
import { PlanSteps } from './PlanSteps.tsx';
import type { Plan } from './types.ts';
import { PLAN } from './words.ts';

export function PlanPanel({ plan }: { readonly plan: Plan }): ReactElement {
  const t = useWords(PLAN);
  return (
    <Stack spacing={2.5}>
      <Summary plan={plan} />
      <Part title={t('changes')}>
        <ChangeList changes={plan.changes} />
      </Part>
      {plan.conversions.length === 0 ? null : (
        <Part title={t('tried')}>
          <Conversions conversions={plan.conversions} />
        </Part>
      )}
      <Held plan={plan} />
      <Told plan={plan} />
      <Part title={t('steps')}>
        <PlanSteps plan={plan} />
        {plan.steps.length === 0 ? null : (
          <Typography variant="body2" sx={{ mt: 1, color: 'text.secondary' }}>
            {t('basis')}: {plan.estimate.basis}
          </Typography>
        )}
      </Part>
    </Stack>
  );
}

export function Part({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <Box component="section" aria-label={title} sx={{ minWidth: 0 }}>
      <Typography component="h2" variant="subtitle2" sx={{ mb: 1 }}>
        {title}
      </Typography>
      {children}
    </Box>
  );
}

function Summary({ plan }: { readonly plan: Plan }): ReactElement {
  const t = useWords(PLAN);
  const format = useFormat();
  const { ms } = plan.estimate;
  const isLossy = plan.held.length > 0 || plan.steps.some((step) => step.phase === 'purge');
  const facts: readonly (readonly [label: string, text: string])[] = [
    [t('changes'), `${t('changes_count', plan.changes.length)}, ${t(plan.class).toLowerCase()}`],
    [t('steps'), t('steps_count', plan.steps.length)],
    [t('time'), ms === null ? t('unknown_time') : plan.steps.length === 0 ? t('at_once') : t('about', { time: format.duration(ms) })],
    [t('approval'), plan.approval.needed ? t(plan.approval.four_eyes ? 'approval_four_eyes' : 'approval_needed') : t('approval_not')],
    [t('grace'), plan.grace_ms === null ? t('grace_none') : t('grace_told', { time: format.duration(plan.grace_ms) })],
    ...(isLossy && plan.retention_ms !== null
      ? ([[t('retention'), t('retention_told', { time: format.duration(plan.retention_ms) })]] as const)
      : []),
    [t('loss'), isLossy ? t('loss_later') : t('loss_none')],
  ];
  return (
    <Paper variant="outlined" sx={{ p: 1.5 }}>
      <Box
        component="dl"
        aria-label={t('plan')}
        sx={{ m: 0, display: 'grid', gap: 1.5, gridTemplateColumns: { xs: '1fr 1fr', md: 'repeat(auto-fit, minmax(130px, 1fr))' } }}
      >
        {facts.map(([label, text]) => (
          <Box key={label} sx={{ minWidth: 0 }}>
            <Typography component="dt" variant="caption" sx={{ color: 'text.secondary' }}>
              {label}
            </Typography>
            <Typography component="dd" variant="body2" sx={{ m: 0, fontWeight: 500 }}>
              {text}
            </Typography>
          </Box>
        ))}
      </Box>
    </Paper>
  );
}

function Held({ plan }: { readonly plan: Plan }): ReactElement | null {
  const t = useWords(PLAN);
  const format = useFormat();
  if (plan.held.length === 0) return null;
  return (
    <Part title={t('held')}>
      <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
        {plan.held.map(({ id, table, column, values }) => (
          <li key={`${id}.${column ?? ''}`}>
            <code>{column === undefined ? table : `${table}.${column}`}</code>
            {': '}
            {t(column === undefined ? 'held_records' : 'held_values', { count: format.number(values) })}
          </li>
        ))}
      </Box>
    </Part>
  );
}

/** What it asks, what will not work, what the reviewer says; the most urgent first. */
function Told({ plan }: { readonly plan: Plan }): ReactElement {
  const t = useWords(PLAN);
  const findings = plan.findings.filter((finding) => finding.level !== 'info');
  return (
    <Stack spacing={1}>
      {plan.questions.length === 0 ? null : (
        <Alert severity="warning">
          <strong>{t('questions')}</strong>
          <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
            {plan.questions.map(({ message }) => (
              <li key={message}>{message}</li>
            ))}
          </Box>
        </Alert>
      )}
      {plan.review.length === 0 ? (
        plan.steps.length === 0 ? null : (
          <Alert severity="success">{t('review_clean')}</Alert>
        )
      ) : (
        <Alert severity={plan.review.some(({ severity }) => severity === 'error') ? 'error' : 'warning'}>
          <strong>{t('review')}</strong>
          <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
            {plan.review.map(({ rule, step, message, hint }) => (
              <li key={`${rule} ${step}`}>
                <code>{step}</code>: {message} {hint}
              </li>
            ))}
          </Box>
        </Alert>
      )}
      {findings.length === 0 ? null : (
        <Alert severity="info">
          <strong>{t('findings')}</strong>
          <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
            {findings.map(({ path, message, consequence, fix }) => (
              <li key={`${path} ${message}`}>
                <code>{path}</code>: {message} {consequence} {fix}
              </li>
            ))}
          </Box>
        </Alert>
      )}
    </Stack>
  );
}
