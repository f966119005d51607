/** What publishing a draft would do: its changes with their class, the questions to answer, what is refused, and what will not work yet. */
import AddOutlined from '@mui/icons-material/AddOutlined';
import EditOutlined from '@mui/icons-material/EditOutlined';
import RemoveOutlined from '@mui/icons-material/RemoveOutlined';
import { Alert, AlertTitle, Box, Button, Chip, LinearProgress, Stack, TextField, Tooltip, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import type { ApiError } from '../../../client/client.ts';
import { useFormat } from '../i18n/format.ts';
import { useWords } from '../i18n/words.ts';
import { Conversions } from '../plan/Conversions.tsx';
import { Status } from '../ui/Status.tsx';
import { NOUNS, nounOf, valueText, VERBS, verbOf } from './change-words.ts';
import {
  answerable,
  HELD_MAX,
  heldBy,
  subjectOf,
  wayOutOf,
  type Change,
  type Finding,
  type Plan,
  type Question,
  type WayOut,
} from './plan.ts';
import type { InstructionInput } from './types.ts';
import type { DryRun } from './use-document.ts';
import { DOCUMENT } from './words.ts';

interface ImpactProps {
  readonly dryRun: DryRun;
  /** An answer to a question, or the way out of a refusal: an instruction for `migrate`. */
  readonly onAnswer: (instruction: InstructionInput) => void;
}

export function Impact({ dryRun, onAnswer }: ImpactProps): ReactElement {
  const t = useWords(DOCUMENT);
  if (dryRun.state === 'refused') return <Refusal error={dryRun.error} onAnswer={onAnswer} />;
  const plan = dryRun.state === 'planned' ? dryRun.plan : dryRun.state === 'asking' ? dryRun.last : undefined;
  return (
    <Stack spacing={2}>
      {dryRun.state === 'asking' ? <LinearProgress aria-label={t('asking')} /> : null}
      {plan === undefined ? null : <PlanImpact plan={plan} onAnswer={onAnswer} />}
    </Stack>
  );
}

function PlanImpact({ plan, onAnswer }: { readonly plan: Plan; readonly onAnswer: ImpactProps['onAnswer'] }): ReactElement {
  const t = useWords(DOCUMENT);
  if (plan.changes.length === 0 && plan.findings.length === 0) return <Typography role="status">{t('nothing')}</Typography>;
  return (
    <>
      {plan.questions.filter(isRenameQuestion).map((question) => (
        <Ask key={`${question.rule} ${question.message}`} question={question} onAnswer={onAnswer} />
      ))}
      <Box component="ul" aria-label={t('impact')} sx={{ listStyle: 'none', m: 0, p: 0 }}>
        {plan.changes.map((change, index) => (
          <ChangeLine key={index} change={change} held={heldBy(plan, change)} />
        ))}
      </Box>
      {plan.conversions.length === 0 ? null : <Conversions conversions={plan.conversions} />}
      {plan.changes.length === 0 ? null : <Cost plan={plan} />}
      <Findings findings={plan.findings} />
      <Reviews plan={plan} />
    </>
  );
}

/** That something is dropped at all is confirmed by typing its name when it is published. */
const isRenameQuestion = ({ rule }: Question): boolean => rule === 'rename_or_drop';

/** Where the change may have been meant otherwise: one button per answer. */
function Ask({ question, onAnswer }: { readonly question: Question; readonly onAnswer: ImpactProps['onAnswer'] }): ReactElement {
  const t = useWords(DOCUMENT);
  const { asRename, asDrop, renamed } = answerable(question);
  return (
    <Alert severity="warning" role="group" aria-label={question.message}>
      <AlertTitle sx={{ fontSize: 14 }}>{question.message}</AlertTitle>
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
        {asRename === undefined ? null : (
          <Button size="small" variant="contained" onClick={() => onAnswer(asRename)}>
            {t('is_renamed')}
          </Button>
        )}
        <Button size="small" variant="outlined" color="error" onClick={() => onAnswer(asDrop)}>
          {t('is_dropped', { name: renamed ?? '' })}
        </Button>
      </Stack>
    </Alert>
  );
}

const ICONS = { add: AddOutlined, drop: RemoveOutlined } as const;

export function ChangeLine({ change, held = 0 }: { readonly change: Change; readonly held?: number }): ReactElement {
  const t = useWords(DOCUMENT);
  const verbs = useWords(VERBS);
  const nouns = useWords(NOUNS);
  const format = useFormat();
  const verb = verbOf(change);
  const Icon = verb === 'add' || verb === 'drop' ? ICONS[verb] : EditOutlined;
  const subject = subjectOf(change) || nouns(nounOf(change));
  const details = [
    change.property,
    change.fields?.join(', '),
    change.from === undefined && change.to === undefined ? undefined : fromTo(change, t('from_to', { from: '%{from}', to: '%{to}' })),
  ].filter((part) => part !== undefined && part !== '');
  return (
    <Box
      component="li"
      sx={{ display: 'flex', gap: 1, alignItems: 'flex-start', py: 0.75, borderBottom: 1, borderColor: 'divider', flexWrap: 'wrap' }}
    >
      <Icon fontSize="small" color={verb === 'add' ? 'success' : verb === 'drop' ? 'error' : 'action'} sx={{ mt: 0.25 }} />
      <Box sx={{ flex: '1 1 220px', minWidth: 0 }}>
        <Typography variant="body2" sx={{ overflowWrap: 'anywhere' }}>
          {verbs(verb)}: {nouns(nounOf(change))} <strong>{subject}</strong>
        </Typography>
        {details.length === 0 ? null : (
          <Typography variant="caption" sx={{ color: 'text.secondary', overflowWrap: 'anywhere', display: 'block' }}>
            {details.join(' · ')}
          </Typography>
        )}
        {change.message === undefined ? null : (
          <Typography variant="caption" sx={{ color: 'text.secondary', display: 'block' }}>
            {change.message}
          </Typography>
        )}
        {held === 0 ? null : (
          <Typography variant="caption" sx={{ color: 'warning.main', display: 'block', fontWeight: 600 }}>
            {t(held >= HELD_MAX ? 'held_many' : 'held', { smart_count: held, count: format.number(held) })}
          </Typography>
        )}
      </Box>
      <Tooltip title={t(change.class === 'breaking' ? 'breaking_help' : 'compatible_help')}>
        <span>
          <Status tone={change.class === 'breaking' ? 'warning' : 'done'} label={t(change.class)} />
        </span>
      </Tooltip>
    </Box>
  );
}

/** Long values say little in a line: cut, the whole one is in the draft. */
const SHORT = 80;
const fromTo = ({ from, to, kind }: Change, pattern: string): string | undefined => {
  if (kind === 'add_field') return valueText(to);
  if (typeof from === 'object' && from !== null && !Array.isArray(from)) return undefined;
  const cut = (value: unknown): string => {
    const text = valueText(value);
    return text.length > SHORT ? `${text.slice(0, SHORT)}…` : text;
  };
  return pattern.replace('%{from}', () => cut(from)).replace('%{to}', () => cut(to));
};

function Cost({ plan }: { readonly plan: Plan }): ReactElement {
  const t = useWords(DOCUMENT);
  const format = useFormat();
  const { ms } = plan.estimate;
  return (
    <Tooltip title={plan.estimate.basis}>
      <Typography variant="body2" sx={{ color: 'text.secondary', width: 'fit-content' }}>
        {plan.steps.length === 0
          ? t('immediate')
          : [t('steps', plan.steps.length), ...(ms === null ? [] : [t('estimate', { time: format.duration(ms) })])].join(', ')}
      </Typography>
    </Tooltip>
  );
}

function Findings({ findings }: { readonly findings: readonly Finding[] }): ReactElement | null {
  const t = useWords(DOCUMENT);
  if (findings.length === 0) return null;
  return (
    <Alert severity="info">
      <AlertTitle sx={{ fontSize: 14 }}>{t('findings')}</AlertTitle>
      <Box component="ul" sx={{ m: 0, pl: 2 }}>
        {findings.map((finding) => (
          <li key={finding.id}>
            {finding.message} {finding.consequence} {finding.fix === '' ? '' : t('instead', { fix: finding.fix })}{' '}
            <Chip size="small" variant="outlined" label={finding.path} sx={{ fontFamily: 'monospace', fontSize: 11, height: 18 }} />
          </li>
        ))}
      </Box>
    </Alert>
  );
}

function Reviews({ plan }: { readonly plan: Plan }): ReactElement | null {
  const t = useWords(DOCUMENT);
  if (plan.review.length === 0) return null;
  return (
    <Alert severity={plan.review.some(({ severity }) => severity === 'error') ? 'error' : 'warning'}>
      <AlertTitle sx={{ fontSize: 14 }}>{t('review')}</AlertTitle>
      <Box component="ul" sx={{ m: 0, pl: 2, overflowWrap: 'anywhere' }}>
        {plan.review.map((finding) => (
          <li key={`${finding.rule} ${finding.step}`}>
            {finding.message} {finding.hint}
          </li>
        ))}
      </Box>
    </Alert>
  );
}

/** What stands in the way, each with its way out as a button where it is one. */
function Refusal({ error, onAnswer }: { readonly error: ApiError; readonly onAnswer: ImpactProps['onAnswer'] }): ReactElement {
  const t = useWords(DOCUMENT);
  const details = error.body?.error.details ?? [];
  const lines = details.length === 0 ? [{ message: error.message, hint: error.body?.error.hint }] : details;
  return (
    <Alert severity="error">
      <AlertTitle sx={{ fontSize: 14 }}>{t('refused')}</AlertTitle>
      <Stack component="ul" spacing={1} sx={{ m: 0, pl: 2 }}>
        {lines.map((detail, index) => {
          const way = wayOutOf(detail);
          const hint = (detail as { hint?: unknown }).hint;
          return (
            <Box component="li" key={index} sx={{ overflowWrap: 'anywhere' }}>
              {detail.message}
              {way === undefined && typeof hint === 'string' ? ` ${hint}` : ''}
              {way === undefined ? null : <Way way={way} onAnswer={onAnswer} />}
            </Box>
          );
        })}
      </Stack>
    </Alert>
  );
}

function Way({ way, onAnswer }: { readonly way: WayOut; readonly onAnswer: ImpactProps['onAnswer'] }): ReactElement {
  const t = useWords(DOCUMENT);
  const [expression, setExpression] = useState('');
  const { kind, entity, field } = way;
  if (kind === 'convert') {
    return (
      <Box sx={{ mt: 0.5 }}>
        <Button size="small" variant="outlined" onClick={() => onAnswer({ convert: { entity, field } })}>
          {t('convert')}
        </Button>
      </Box>
    );
  }
  return (
    <Stack
      component="form"
      direction="row"
      spacing={1}
      useFlexGap
      sx={{ mt: 1, flexWrap: 'wrap', alignItems: 'center' }}
      aria-label={t('fill')}
      onSubmit={(event) => (event.preventDefault(), onAnswer({ fill: { entity, field, expression } }))}
    >
      <TextField
        size="small"
        label={t('fill_expression')}
        value={expression}
        onChange={(event) => setExpression(event.target.value)}
        placeholder="'unknown'"
        slotProps={{ htmlInput: { style: { fontFamily: 'monospace' } } }}
      />
      <Button size="small" type="submit" variant="outlined" disabled={expression.trim() === ''}>
        {t('fill')}
      </Button>
    </Stack>
  );
}
