import { Box, Button, List, ListItemButton, ListItemText, Paper, Stack, Typography } from '@mui/material';
import { useEffect, useState, type ReactElement } from 'react';
import { Link } from 'react-router-dom';
import { listApps, type AppSummary } from '../discovery.ts';
import { signOut } from '../session.ts';

/** The platform's first page: every app one may open. */
export function Apps({ onSignedOut }: { readonly onSignedOut: () => void }): ReactElement {
  const [apps, setApps] = useState<readonly AppSummary[] | undefined>();
  useEffect(() => {
    void listApps().then((found) => setApps(found ?? []));
  }, []);
  return (
    <Box component="main" sx={{ minHeight: '100vh', display: 'grid', placeItems: 'center', p: 2, bgcolor: 'background.default' }}>
      <Paper variant="outlined" sx={{ p: 3, width: '100%', maxWidth: 480 }}>
        <Stack spacing={2}>
          <Typography component="h1" variant="h6">
            Apps
          </Typography>
          {apps?.length === 0 ? <Typography>There is no app yet. Create one with POST /api/_platform/apps.</Typography> : null}
          <List aria-label="Apps" disablePadding>
            {(apps ?? []).map((app) => (
              <li key={app.name}>
                <ListItemButton component={Link} to={`/t/${app.name}`}>
                  <ListItemText primary={app.display_name} secondary={app.name} />
                </ListItemButton>
              </li>
            ))}
          </List>
          <Button onClick={() => void signOut().then(onSignedOut)}>Sign out</Button>
        </Stack>
      </Paper>
    </Box>
  );
}
