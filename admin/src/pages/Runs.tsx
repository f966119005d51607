/** Every run with where it stands; a failed step can be tried again or skipped, a running one cancelled, here and nowhere else. */
import {
  Alert,
  Box,
  Button,
  Chip,
  Link as ExternalLink,
  Paper,
  Stack,
  Table,
  TableBody,
  TableCell,
  TableContainer,
  TableHead,
  TableRow,
  Typography,
} from '@mui/material';
import { useCallback, useEffect, useState, type ReactElement } from 'react';
import { Title } from 'react-admin';
import { Link } from 'react-router-dom';
import { ApiError } from '../../../client/client.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import { messageOf } from '../providers/data-provider.ts';
import { client } from '../session.ts';
import type { Run } from './run.ts';

export default function Runs(): ReactElement {
  const discovery = useDiscovery();
  const [runs, setRuns] = useState<readonly Run[] | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const base = `/api/${encodeURIComponent(discovery.app.name)}/_workflows`;
  const fail = (error: unknown): void => setProblem(error instanceof ApiError ? messageOf(error) : 'The runs could not be read.');

  const load = useCallback(() => {
    client
      .call<{ data: readonly Run[] }>(`${base}?per_page=50`)
      .then(({ body }) => setRuns(body.data))
      .catch(fail);
  }, [base]);
  useEffect(load, [load]);

  const act = (run: Run, verb: 'retry' | 'skip' | 'cancel'): void => {
    client.call(`${base}/${run.id}/${verb}`, { method: 'POST', body: {} }).then(load).catch(fail);
  };

  return (
    <Box sx={{ py: 2 }}>
      <Title title="Workflows" />
      <Stack spacing={2}>
        {problem === undefined ? null : <Alert severity="error">{problem}</Alert>}
        {runs?.length === 0 ? <Typography>No workflow has run yet.</Typography> : null}
        {runs === undefined || runs.length === 0 ? null : (
          <TableContainer component={Paper} variant="outlined">
            <Table size="small" aria-label="Workflow runs">
              <TableHead>
                <TableRow>
                  {['Workflow', 'State', 'Step', 'Record', 'Started', 'Actions'].map((heading) => (
                    <TableCell key={heading}>{heading}</TableCell>
                  ))}
                </TableRow>
              </TableHead>
              <TableBody>
                {runs.map((run) => (
                  <RunRow key={run.id} run={run} app={discovery.app.name} canAct={discovery.user.is_admin} onAct={act} />
                ))}
              </TableBody>
            </Table>
          </TableContainer>
        )}
      </Stack>
    </Box>
  );
}

interface RunRowProps {
  readonly run: Run;
  readonly app: string;
  readonly canAct: boolean;
  readonly onAct: (run: Run, verb: 'retry' | 'skip' | 'cancel') => void;
}

const COLORS = { running: 'primary', completed: 'success', failed: 'error', cancelled: 'default', ended_by_restore: 'default' } as const;

function RunRow({ run, app, canAct, onAct }: RunRowProps): ReactElement {
  const isStuck = run.status === 'running' && run.error !== null && run.error !== undefined;
  return (
    <TableRow hover>
      <TableCell>{run.workflow_name}</TableCell>
      <TableCell>
        <Chip
          size="small"
          variant="outlined"
          color={isStuck ? 'error' : COLORS[run.status]}
          label={isStuck ? 'stuck' : run.status}
          title={run.error ?? undefined}
        />
      </TableCell>
      <TableCell>{run.current_step ?? '–'}</TableCell>
      <TableCell>
        {run.entity === null || run.record_id === null ? (
          '–'
        ) : (
          <Link to={`/t/${app}/${run.entity}/${run.record_id}/show`}>{run.entity}</Link>
        )}
      </TableCell>
      <TableCell>{new Date(run.created_at).toLocaleString()}</TableCell>
      <TableCell>
        <Stack direction="row" spacing={1} sx={{ alignItems: 'center' }}>
          {run.temporal_url === null ? null : (
            <ExternalLink href={run.temporal_url} target="_blank" rel="noreferrer">
              Temporal
            </ExternalLink>
          )}
          {canAct && isStuck ? (
            <Button size="small" onClick={() => onAct(run, 'retry')}>
              Retry
            </Button>
          ) : null}
          {canAct && isStuck ? (
            <Button size="small" onClick={() => onAct(run, 'skip')}>
              Skip
            </Button>
          ) : null}
          {canAct && run.status === 'running' ? (
            <Button size="small" color="error" onClick={() => onAct(run, 'cancel')}>
              Cancel
            </Button>
          ) : null}
        </Stack>
      </TableCell>
    </TableRow>
  );
}
