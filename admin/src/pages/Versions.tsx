import { Alert, Box, Chip, Paper, Table, TableBody, TableCell, TableContainer, TableHead, TableRow } from '@mui/material';
import { useEffect, useState, type ReactElement } from 'react';
import { Title } from 'react-admin';
import { useDiscovery } from '../shell/discovery-context.ts';
import { client } from '../session.ts';

interface Version {
  readonly version: number;
  readonly class: string;
  readonly created_at: string;
  readonly changes: readonly { readonly kind: string; readonly entity?: string; readonly field?: string; readonly name?: string }[];
}

/** Every version of the schema, newest first, with what changed in it. */
export default function Versions(): ReactElement {
  const discovery = useDiscovery();
  const [versions, setVersions] = useState<readonly Version[]>([]);
  const [isBroken, setBroken] = useState(false);
  const app = discovery.app.name;
  useEffect(() => {
    client
      .call<{ data: readonly Version[] }>(`/api/${encodeURIComponent(app)}/_admin/versions`)
      .then(({ body }) => setVersions(body.data))
      .catch(() => setBroken(true));
  }, [app]);
  return (
    <Box sx={{ py: 2 }}>
      <Title title="Versions" />
      {isBroken ? <Alert severity="error">The versions could not be read.</Alert> : null}
      <TableContainer component={Paper} variant="outlined">
        <Table size="small" aria-label="Schema versions">
          <TableHead>
            <TableRow>
              <TableCell align="right">Version</TableCell>
              <TableCell>Class</TableCell>
              <TableCell>Changes</TableCell>
              <TableCell>Published</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {versions.map((version) => (
              <TableRow key={version.version}>
                <TableCell align="right">{version.version}</TableCell>
                <TableCell>
                  <Chip size="small" variant="outlined" label={version.class} />
                </TableCell>
                <TableCell>{version.changes.map(describe).join(', ') || '–'}</TableCell>
                <TableCell>{new Date(version.created_at).toLocaleString()}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      </TableContainer>
    </Box>
  );
}

const describe = (change: Version['changes'][number]): string =>
  [change.kind.replaceAll('_', ' '), [change.entity, change.field ?? change.name].filter(Boolean).join('.')].filter(Boolean).join(' ');
