/** What waits for a decision: who asked, about which record, until when; approving or rejecting shows what came next. */
import {
  Alert,
  Box,
  Button,
  Card,
  CardActions,
  CardContent,
  Chip,
  Link as ExternalLink,
  Stack,
  TextField,
  Typography,
} from '@mui/material';
import { useCallback, useEffect, useState, type ReactElement } from 'react';
import { ReferenceField, Title } from 'react-admin';
import { ApiError } from '../../../client/client.ts';
import type { Discovery } from '../discovery.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import { messageOf } from '../providers/data-provider.ts';
import { client } from '../session.ts';
import type { Run } from './run.ts';

type Verb = 'approve' | 'reject' | 'send-back' | 'resubmit';
const DONE: Readonly<Record<Verb, string>> = { approve: 'Approved', reject: 'Rejected', 'send-back': 'Sent back', resubmit: 'Resubmitted' };

type Outcome = { readonly severity: 'success' | 'error'; readonly text: string };

export default function Inbox(): ReactElement {
  const discovery = useDiscovery();
  const [runs, setRuns] = useState<readonly Run[] | undefined>();
  const [outcome, setOutcome] = useState<Outcome | undefined>();
  const base = `/api/${encodeURIComponent(discovery.app.name)}/_workflows`;

  const load = useCallback(() => {
    client
      .call<{ data: readonly Run[] }>(`${base}/pending?assignee=me`)
      .then(({ body }) => setRuns(body.data))
      .catch((error: unknown) =>
        setOutcome({ severity: 'error', text: error instanceof ApiError ? messageOf(error) : 'The inbox could not be read.' }),
      );
  }, [base]);
  useEffect(load, [load]);

  const decide = async (run: Run, verb: Verb, comment: string): Promise<void> => {
    try {
      const { body } = await client.call<{ data: Run }>(`${base}/${run.id}/${verb}`, {
        method: 'POST',
        body: { ...(comment === '' ? {} : { comment }), ...(run.task === null || run.task === undefined ? {} : { task: run.task.id }) },
      });
      const next = body.data.current_step === null ? `the run is ${body.data.status}` : `the run is at "${body.data.current_step}"`;
      setOutcome({ severity: 'success', text: `${DONE[verb]}: ${next}.` });
    } catch (error) {
      setOutcome({ severity: 'error', text: error instanceof ApiError ? messageOf(error) : 'The decision did not arrive.' });
    }
    load();
  };

  return (
    <Box sx={{ maxWidth: 900, py: 2 }}>
      <Title title="Approvals" />
      <Stack spacing={2}>
        <Box role="status">{outcome === undefined ? null : <Alert severity={outcome.severity}>{outcome.text}</Alert>}</Box>
        {runs?.length === 0 ? <Typography>Nothing waits for you.</Typography> : null}
        {(runs ?? []).map((run) => (
          <ApprovalCard key={run.id} run={run} discovery={discovery} onDecide={decide} />
        ))}
      </Stack>
    </Box>
  );
}

interface ApprovalCardProps {
  readonly run: Run;
  readonly discovery: Discovery;
  readonly onDecide: (run: Run, verb: Verb, comment: string) => Promise<void>;
}

function ApprovalCard({ run, discovery, onDecide }: ApprovalCardProps): ReactElement {
  const [comment, setComment] = useState('');
  const [isBusy, setBusy] = useState(false);
  const decide = (verb: Verb): void => {
    setBusy(true);
    void onDecide(run, verb, comment).finally(() => setBusy(false));
  };
  const due = run.current_step_deadline;
  return (
    <Card variant="outlined" component="article" aria-label={`${run.workflow_name}: ${run.current_step ?? ''}`}>
      <CardContent>
        <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
          <Typography variant="h6" component="h2">
            {run.workflow_name.replaceAll('_', ' ')}
          </Typography>
          <Chip size="small" label={run.current_step ?? run.status} />
          {due === null ? null : <Typography variant="body2">until {new Date(due).toLocaleString()}</Typography>}
        </Stack>
        {run.task?.on_behalf_of === undefined ? null : <Typography variant="body2">You decide for {run.task.on_behalf_of}.</Typography>}
        {run.entity !== null && run.record_id !== null ? (
          <Typography sx={{ mt: 1 }}>
            {labelOf(discovery, run.entity)}:{' '}
            <ReferenceField
              record={{ id: run.id, record_id: run.record_id }}
              source="record_id"
              reference={run.entity}
              link="show"
              emptyText="–"
            />
          </Typography>
        ) : null}
        <TextField
          label="Comment"
          value={comment}
          onChange={(event) => setComment(event.target.value)}
          size="small"
          fullWidth
          sx={{ mt: 2 }}
          required={run.task?.comment_required === true}
        />
      </CardContent>
      <CardActions>
        <Verbs run={run} isBusy={isBusy} onVerb={decide} />
        {run.temporal_url === null ? null : (
          <ExternalLink href={run.temporal_url} target="_blank" rel="noreferrer" sx={{ ml: 2 }}>
            Open in Temporal
          </ExternalLink>
        )}
      </CardActions>
    </Card>
  );
}

interface VerbsProps {
  readonly run: Run;
  readonly isBusy: boolean;
  readonly onVerb: (verb: Verb) => void;
}

function Verbs({ run, isBusy, onVerb }: VerbsProps): ReactElement {
  if (run.task?.kind === 'resubmission') {
    return (
      <Button variant="contained" disabled={isBusy} onClick={() => onVerb('resubmit')}>
        Resubmit
      </Button>
    );
  }
  return (
    <>
      <Button variant="contained" disabled={isBusy} onClick={() => onVerb('approve')}>
        Approve
      </Button>
      <Button variant="outlined" color="error" disabled={isBusy} onClick={() => onVerb('reject')}>
        Reject
      </Button>
      {run.task?.can_send_back === true ? (
        <Button variant="outlined" disabled={isBusy} onClick={() => onVerb('send-back')}>
          Send back
        </Button>
      ) : null}
    </>
  );
}

const labelOf = (discovery: Discovery, entity: string): string =>
  discovery.entities.find((candidate) => candidate.name === entity)?.label ?? entity;
