/** The back office of one app. Its key is the app and the schema version: switching either makes everything anew. */
import { Alert, Box, CircularProgress } from '@mui/material';
import { useCallback, useEffect, useMemo, useState, type ReactElement } from 'react';
import { Admin, CustomRoutes, localStorageStore, Resource } from 'react-admin';
import { Navigate, Route, useParams } from 'react-router-dom';
import { ApiError } from '../../client/client.ts';
import { discover, type DiscoveredEntity, type Discovery } from './discovery.ts';
import { AppLayout, DiscoveryProvider } from './layout/AppLayout.tsx';
import { Import } from './pages/Import.tsx';
import { Inbox } from './pages/Inbox.tsx';
import { Runs } from './pages/Runs.tsx';
import { Versions } from './pages/Versions.tsx';
import { createAuthProvider } from './providers/auth-provider.ts';
import { createDataProvider } from './providers/data-provider.ts';
import { entityPages } from './resources/entity.tsx';
import { darkTheme, lightTheme } from './theme.ts';

export function AppAdmin({ onSignedOut }: { readonly onSignedOut: () => void }): ReactElement {
  const { app = '' } = useParams();
  const [discovery, setDiscovery] = useState<Discovery | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  const load = useCallback(() => {
    discover(app).then(setDiscovery, (error: unknown) => {
      if (error instanceof ApiError && error.status === 401) onSignedOut();
      else setProblem('There is no such app, or it is not for you.');
    });
  }, [app, onSignedOut]);
  useEffect(() => {
    setDiscovery(undefined);
    setProblem(undefined);
    load();
  }, [load]);
  if (problem !== undefined) {
    return (
      <Box component="main" sx={{ p: 4 }}>
        <h1>Not found</h1>
        <Alert severity="warning">{problem}</Alert>
      </Box>
    );
  }
  if (discovery === undefined || discovery.app.name !== app) {
    return (
      <Box component="main" sx={{ display: 'grid', placeItems: 'center', minHeight: '60vh' }}>
        <CircularProgress aria-label="Loading the app" />
      </Box>
    );
  }
  return <Office key={`${app}.${discovery.schema_version}`} discovery={discovery} onImported={load} onSignedOut={onSignedOut} />;
}

interface OfficeProps {
  readonly discovery: Discovery;
  readonly onImported: () => void;
  readonly onSignedOut: () => void;
}

function Office({ discovery, onImported, onSignedOut }: OfficeProps): ReactElement {
  const app = discovery.app.name;
  const dataProvider = useMemo(() => createDataProvider(discovery), [discovery]);
  const authProvider = useMemo(() => {
    const base = createAuthProvider(discovery);
    return { ...base, logout: async (params: unknown) => base.logout(params).then(() => (onSignedOut(), false as const)) };
  }, [discovery, onSignedOut]);
  const resources = useMemo(
    () =>
      discovery.entities.filter((entity) => entity.permissions.read).map((entity) => ({ entity, pages: entityPages(discovery, entity) })),
    [discovery],
  );
  const store = useMemo(() => localStorageStore(undefined, `durabase.${app}`), [app]);
  return (
    <DiscoveryProvider value={discovery}>
      <Admin
        basename={`/t/${app}`}
        dataProvider={dataProvider}
        authProvider={authProvider}
        store={store}
        layout={AppLayout}
        title="Durabase"
        lightTheme={lightTheme}
        darkTheme={darkTheme}
        disableTelemetry
        requireAuth
        loginPage={false}
      >
        {resources.map(({ entity, pages }) => (
          <Resource
            key={entity.name}
            name={entity.name}
            options={{ label: entity.label }}
            recordRepresentation={representation(entity)}
            {...pages}
          />
        ))}
        <CustomRoutes>
          <Route path="/" element={<Navigate to={`/t/${app}/${resources[0]?.entity.name ?? 'inbox'}`} replace />} />
          <Route path="/inbox" element={<Inbox />} />
          <Route path="/runs" element={<Runs />} />
          <Route path="/import" element={<Import onImported={onImported} />} />
          <Route path="/versions" element={<Versions />} />
        </CustomRoutes>
      </Admin>
    </DiscoveryProvider>
  );
}

const representation =
  (entity: DiscoveredEntity) =>
  (record: Record<string, unknown>): string => {
    const title = record[entity.display_field];
    return typeof title === 'string' || typeof title === 'number' ? String(title) : String(record['id'] as string);
  };
