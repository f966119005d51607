/** The steps of a plan in the order in which they run, under what each phase means for clients, each with its lock, cost and SQL. */
import CodeOutlined from '@mui/icons-material/CodeOutlined';
import { Box, IconButton, Paper, Tooltip, Typography } from '@mui/material';
import { lazy, Suspense, useState, type ReactElement } from 'react';
import { useFormat } from '../i18n/format.ts';
import { useWords } from '../i18n/words.ts';
import { Empty } from '../ui/Empty.tsx';
import { Loading } from '../ui/Page.tsx';
import { Status, type Tone } from '../ui/Status.tsx';
import type { Plan, PlanStep } from './types.ts';
import { PLAN } from './words.ts';

const CodeEditor = lazy(() => import('../ui/CodeEditor.tsx'));

export const PHASES = ['expand', 'backfill', 'verify', 'settle', 'contract', 'purge'] as const;

export function PlanSteps({ plan }: { readonly plan: Plan }): ReactElement {
  const t = useWords(PLAN);
  if (plan.steps.length === 0) return <Empty>{t('no_steps')}</Empty>;
  const numbered = plan.steps.map((step, index) => ({ step, number: index + 1 }));
  return (
    <Paper variant="outlined" component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
      {PHASES.map((phase) => {
        const own = numbered.filter(({ step }) => step.phase === phase);
        if (own.length === 0) return null;
        return (
          <Box key={phase} component="li" sx={{ '& + &': { borderTop: 1, borderColor: 'divider' } }}>
            <Box sx={{ px: 1.5, py: 1, bgcolor: 'action.hover' }}>
              <Typography component="h3" variant="body2" sx={{ fontWeight: 600 }}>
                {t(`phase_${phase}`)}
              </Typography>
              <Typography variant="body2" sx={{ color: 'text.secondary' }}>
                {t(`about_${phase}`)}
              </Typography>
            </Box>
            <Box component="ol" aria-label={t(`phase_${phase}`)} sx={{ listStyle: 'none', m: 0, p: 0 }}>
              {own.map(({ step, number }) => (
                <Step key={step.key} step={step} number={number} plan={plan} />
              ))}
            </Box>
          </Box>
        );
      })}
    </Paper>
  );
}

type Risk = 'none' | 'brief' | 'warned' | 'loss';
const TONES: Readonly<Record<Risk, Tone>> = { none: 'done', brief: 'info', warned: 'warning', loss: 'failed' };

/** What a step can do to those who use the app meanwhile, and to its data. */
function riskOf(step: PlanStep, plan: Plan): Risk {
  if (step.phase === 'purge') return 'loss';
  if (step.rewrite || plan.review.some((finding) => finding.step === step.key)) return 'warned';
  return /EXCLUSIVE/.test(step.lock) && !step.concurrent && !/new table only|view only/.test(step.lock) ? 'brief' : 'none';
}

function Step({ step, number, plan }: { readonly step: PlanStep; readonly number: number; readonly plan: Plan }): ReactElement {
  const t = useWords(PLAN);
  const [isOpen, setOpen] = useState(false);
  const risk = riskOf(step, plan);
  const label = t(isOpen ? 'hide_sql' : 'show_sql', { number });
  const [verb = '', ...object] = step.key.split('/');
  return (
    <Box component="li" sx={{ px: 1.5, py: 0.75, borderTop: 1, borderColor: 'divider', minWidth: 0 }}>
      <Box
        sx={{
          display: 'grid',
          columnGap: 2,
          rowGap: 0.5,
          alignItems: 'center',
          gridTemplateColumns: { xs: 'minmax(0, 1fr) auto', md: 'minmax(0, 1fr) 240px 130px 150px auto' },
        }}
      >
        <Typography variant="body2" sx={{ overflowWrap: 'anywhere' }}>
          <Box component="span" sx={{ color: 'text.secondary', mr: 1 }}>
            {number}.
          </Box>
          {verb.replaceAll('-', ' ')} <code>{object.join('/')}</code>
        </Typography>
        <Lock step={step} />
        <Cost step={step} />
        <Box>
          <Status tone={TONES[risk]} label={t(`risk_${risk}`)} />
        </Box>
        <Box sx={{ gridRow: { xs: 1, md: 'auto' }, gridColumn: { xs: 2, md: 'auto' } }}>
          <Tooltip title={label}>
            <IconButton size="small" aria-label={label} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              <CodeOutlined fontSize="small" />
            </IconButton>
          </Tooltip>
        </Box>
      </Box>
      {isOpen ? (
        <Box sx={{ mt: 1 }}>
          <Suspense fallback={<Loading lines={3} />}>
            <CodeEditor value={step.sql} language="sql" label={`${t('sql')} ${step.key}`} isReadOnly minHeight={40} maxHeight={320} />
          </Suspense>
        </Box>
      ) : null}
    </Box>
  );
}

function Lock({ step }: { readonly step: PlanStep }): ReactElement {
  const t = useWords(PLAN);
  const more = step.concurrent
    ? t('concurrent')
    : step.mode === 'brief' && step.lock_timeout_ms !== null && /EXCLUSIVE/.test(step.lock)
      ? t('waits_at_most', { ms: step.lock_timeout_ms })
      : '';
  return (
    <Typography variant="body2">
      {step.lock}
      {more === '' ? null : (
        <Box component="span" sx={{ display: 'block', color: 'text.secondary', fontSize: 12 }}>
          {more}
        </Box>
      )}
    </Typography>
  );
}

/** Nothing for a table that holds nothing. */
function Cost({ step }: { readonly step: PlanStep }): ReactElement {
  const t = useWords(PLAN);
  const format = useFormat();
  const { rows, rows_exact: isExact, ms } = step.estimate;
  const text = rows === null || rows === 0 ? '' : `${isExact ? '' : '≈ '}${format.number(rows)} ${t('rows').toLowerCase()}`;
  return (
    <Typography
      variant="body2"
      sx={{ color: 'text.secondary', fontVariantNumeric: 'tabular-nums', display: text === '' && ms === null ? 'none' : 'block' }}
    >
      {text}
      {ms === null || rows === 0 ? null : (
        <Box component="span" sx={{ display: 'block', fontSize: 12 }}>
          {t('about', { time: format.duration(ms) })}
        </Box>
      )}
    </Typography>
  );
}
