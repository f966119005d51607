/** One open approval: what it is about, who still has to sign, until when, and the decisions one may take. */
import { Box, Button, Card, CardActions, CardContent, Checkbox, Link, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { appPath, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Problem } from '../../ui/Problem.tsx';
import { Status } from '../../ui/Status.tsx';
import { TemporalLink } from '../../ui/TemporalLink.tsx';
import { Time } from '../../ui/Time.tsx';
import { RecordLink } from '../runs/RunRows.tsx';
import type { Run, Task } from '../runs/run.ts';
import { HandOver } from './HandOver.tsx';
import { APPROVALS } from './words.ts';
import { spaced } from '../../ui/spaced.ts';

type Verb = 'approve' | 'reject' | 'send-back' | 'resubmit';
const DONE = { approve: 'approved', reject: 'rejected', 'send-back': 'sent-back', resubmit: 'resubmitted' } as const;

interface ApprovalCardProps {
  readonly run: Run;
  readonly task: Task;
  /** On the run's own page: what the page says already is left out. */
  readonly isWithinRun?: boolean;
  readonly isChosen?: boolean;
  readonly onChoose?: () => void;
  /** With what came next, in words. */
  readonly onDone?: (outcome: string) => void;
}

export function ApprovalCard({ run, task, isWithinRun = false, isChosen = false, onChoose, onDone }: ApprovalCardProps): ReactElement {
  const t = useWords(APPROVALS);
  const { app } = useDiscovery();
  const decision = useDecision(run, task, onDone);
  const title = spaced(task.title);
  return (
    <Card variant="outlined" component="article" aria-label={`${spaced(run.workflow_name)}: ${title}`}>
      <CardContent sx={{ pb: 1 }}>
        <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
          {onChoose === undefined ? null : (
            <Checkbox size="small" checked={isChosen} onChange={onChoose} slotProps={{ input: { 'aria-label': t('choose', { title }) } }} />
          )}
          <Typography variant="h6" component="h2">
            {title}
          </Typography>
          <Due task={task} />
        </Stack>
        {isWithinRun ? null : (
          <Typography variant="body2" sx={{ color: 'text.secondary' }}>
            {spaced(run.workflow_name)} · {t('asked')} <Time at={task.created_at} as="ago" /> ·{' '}
            <Link
              component={RouterLink}
              to={`/t/${app.name}/_runs/${run.id}`}
              aria-label={t('open_run', { workflow: spaced(run.workflow_name) })}
            >
              {t('run')}
            </Link>
          </Typography>
        )}
        {isWithinRun || run.record_id === null ? null : (
          <Typography sx={{ mt: 1 }}>
            <RecordLink of={run} />
          </Typography>
        )}
        <Signatures task={task} />
        {task.on_behalf_of === undefined ? null : <Typography variant="body2">{t('for_whom', { whom: task.on_behalf_of })}</Typography>}
        <Problem error={decision.error} />
        {task.can_decide ? (
          <TextField
            label={t('comment')}
            value={decision.comment}
            onChange={(event) => decision.setComment(event.target.value)}
            size="small"
            fullWidth
            multiline
            sx={{ mt: 2 }}
            required={task.comment_required}
            helperText={task.comment_required ? t('comment_needed') : undefined}
          />
        ) : (
          <Typography variant="body2" sx={{ mt: 1, color: 'text.secondary' }}>
            {t('not_you', { reason: task.reason ?? '' })}
          </Typography>
        )}
      </CardContent>
      <CardActions sx={{ flexWrap: 'wrap', px: 2, pb: 2 }}>
        {task.can_decide ? <Verbs task={task} isBusy={decision.isBusy} onVerb={decision.decide} /> : null}
        <HandOver run={run} task={task} onDone={onDone} />
        {isWithinRun ? null : <TemporalLink url={run.temporal_url} />}
      </CardActions>
    </Card>
  );
}

interface Decision {
  readonly comment: string;
  readonly setComment: (comment: string) => void;
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly decide: (verb: Verb) => void;
}

function useDecision(run: Run, task: Task, onDone: ((outcome: string) => void) | undefined): Decision {
  const t = useWords(APPROVALS);
  const { app } = useDiscovery();
  const send = useSend();
  const [comment, setComment] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const decide = (verb: Verb): void => {
    setBusy(true);
    setError(undefined);
    const body = { task: task.id, ...(comment.trim() === '' ? {} : { comment }) };
    send<{ data: Run }>('POST', `${appPath(app.name)}/_workflows/${run.id}/${verb}`, body)
      .then(({ data }) => onDone?.(outcomeOf(data, verb)), setError)
      .finally(() => setBusy(false));
  };
  const outcomeOf = (next: Run, verb: Verb): string =>
    next.current_step === null
      ? t('ended', { done: t(DONE[verb]), status: spaced(next.status) })
      : t('next_step', { done: t(DONE[verb]), step: next.current_step });
  return { comment, setComment, isBusy, error, decide };
}

function Due({ task }: { readonly task: Task }): ReactElement | null {
  const t = useWords(APPROVALS);
  if (task.due_at === null) return null;
  const isLate = new Date(task.due_at).getTime() < Date.now();
  return (
    <Typography variant="body2" color={isLate ? 'error' : 'text.secondary'}>
      {t('due')} <Time at={task.due_at} as="ago" />
    </Typography>
  );
}

/** How many have signed in each group, who did and who is still waited for. */
function Signatures({ task }: { readonly task: Task }): ReactElement {
  const t = useWords(APPROVALS);
  const waiting = task.waiting_for.map(({ user }) => user);
  const tone = (group: Task['groups'][number]): 'done' | 'waiting' | 'failed' =>
    group.rejected > 0 ? 'failed' : group.approved >= group.required ? 'done' : 'waiting';
  return (
    <Box sx={{ mt: 1 }}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
        {task.groups.map((group, index) => (
          <Status
            key={index}
            tone={tone(group)}
            label={
              group.name === undefined
                ? t('group', { approved: group.approved, required: group.required })
                : t('group_named', { name: group.name, approved: group.approved, required: group.required })
            }
          />
        ))}
      </Stack>
      {task.votes.map((vote, index) => (
        <Typography key={index} variant="body2">
          {t('voted', { who: vote.decided_by, decision: spaced(vote.decision) })}
          {vote.comment === undefined ? '' : ` – “${vote.comment}”`}
        </Typography>
      ))}
      {waiting.length === 0 ? null : (
        <Typography variant="body2" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
          {t('waiting_for', { who: waiting.slice(0, 5).join(', ') + (waiting.length > 5 ? ` +${waiting.length - 5}` : '') })}
        </Typography>
      )}
    </Box>
  );
}

interface VerbsProps {
  readonly task: Task;
  readonly isBusy: boolean;
  readonly onVerb: (verb: Verb) => void;
}

function Verbs({ task, isBusy, onVerb }: VerbsProps): ReactElement {
  const t = useWords(APPROVALS);
  if (task.kind === 'resubmission') {
    return (
      <Button variant="contained" disabled={isBusy} onClick={() => onVerb('resubmit')}>
        {t('resubmit')}
      </Button>
    );
  }
  return (
    <>
      <Button variant="contained" disabled={isBusy} onClick={() => onVerb('approve')}>
        {t('approve')}
      </Button>
      <Button variant="outlined" color="error" disabled={isBusy} onClick={() => onVerb('reject')}>
        {t('reject')}
      </Button>
      {task.can_send_back ? (
        <Button variant="outlined" disabled={isBusy} onClick={() => onVerb('send-back')}>
          {t('send-back')}
        </Button>
      ) : null}
    </>
  );
}
