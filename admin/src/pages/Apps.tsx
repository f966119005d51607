import { Box, List, ListItemButton, ListItemText, Paper } from '@mui/material';
import { useEffect, useState, type ReactElement } from 'react';
import { Link } from 'react-router-dom';
import { listApps, type AppSummary } from '../discovery.ts';
import { Page } from '../ui/Page.tsx';

/** The platform's first page: every app one may open. */
export default function Apps(): ReactElement {
  const [apps, setApps] = useState<readonly AppSummary[] | undefined>();
  useEffect(() => {
    void listApps().then((found) => setApps(found ?? []));
  }, []);
  return (
    <Page title="Apps" width="form">
      {apps?.length === 0 ? <Box>There is no app yet. Create one with POST /api/_platform/apps.</Box> : null}
      <List aria-label="Apps" disablePadding component={Paper}>
        {(apps ?? []).map((app) => (
          <li key={app.name}>
            <ListItemButton component={Link} to={`/t/${app.name}`}>
              <ListItemText primary={app.display_name} secondary={app.name} />
            </ListItemButton>
          </li>
        ))}
      </List>
    </Page>
  );
}
