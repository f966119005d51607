/** The back office of one app. Its key is the app and the schema version: switching either makes everything anew. */
import { Alert, Box, CircularProgress } from '@mui/material';
import { lazy, useCallback, useEffect, useMemo, useState, type ReactElement } from 'react';
import { Admin, CustomRoutes, Resource, type I18nProvider } from 'react-admin';
import { Route, useParams } from 'react-router-dom';
import { ApiError } from '../../client/client.ts';
import { discover, type DiscoveredEntity, type Discovery } from './discovery.ts';
import { useWords } from './i18n/words.ts';
import { createAuthProvider } from './providers/auth-provider.ts';
import { createDataProvider } from './providers/data-provider.ts';
import { entityPages } from './resources/pages.tsx';
import { client } from './session.ts';
import { useIsDark } from './shell/appearance.ts';
import { DiscoveryProvider } from './shell/discovery-context.ts';
import { Layout } from './shell/Layout.tsx';
import { NotFound } from './shell/NotFound.tsx';
import { pagesFor } from './shell/pages.ts';
import { ReloadProvider } from './shell/reload.ts';
import { storeFor } from './shell/store.ts';
import { SHELL } from './shell/words.ts';
import { darkTheme, lightTheme } from './theme.ts';

const Home = lazy(() => import('./pages/home/index.tsx'));

interface AppAdminProps {
  readonly i18nProvider: I18nProvider;
  readonly onSignedOut: () => void;
}

export function AppAdmin({ i18nProvider, onSignedOut }: AppAdminProps): ReactElement {
  const t = useWords(SHELL);
  const { app = '' } = useParams();
  const [discovery, setDiscovery] = useState<Discovery | undefined>();
  const [isMissing, setMissing] = useState(false);
  const load = useCallback(
    () =>
      discover(app).then(setDiscovery, (error: unknown) => {
        if (error instanceof ApiError && error.status === 401) onSignedOut();
        else setMissing(true);
      }),
    [app, onSignedOut],
  );
  useEffect(() => {
    setDiscovery(undefined);
    setMissing(false);
    void load();
  }, [load]);
  if (isMissing) {
    return (
      <Box component="main" sx={{ p: 4 }}>
        <h1>{t('not_found')}</h1>
        <Alert severity="warning">{t('no_such_app')}</Alert>
      </Box>
    );
  }
  if (discovery === undefined || discovery.app.name !== app) {
    return (
      <Box component="main" sx={{ display: 'grid', placeItems: 'center', minHeight: '60vh' }}>
        <CircularProgress aria-label={t('loading_app')} />
      </Box>
    );
  }
  return (
    <ReloadProvider value={load}>
      <Office key={`${app}.${discovery.schema_version}`} discovery={discovery} i18nProvider={i18nProvider} onSignedOut={onSignedOut} />
    </ReloadProvider>
  );
}

interface OfficeProps extends AppAdminProps {
  readonly discovery: Discovery;
}

function Office({ discovery, i18nProvider, onSignedOut }: OfficeProps): ReactElement {
  const app = discovery.app.name;
  const isDark = useIsDark();
  const dataProvider = useMemo(() => createDataProvider(discovery, client), [discovery]);
  const authProvider = useMemo(() => createAuthProvider(discovery, onSignedOut), [discovery, onSignedOut]);
  const resources = useMemo(
    () =>
      discovery.entities.filter((entity) => entity.permissions.read).map((entity) => ({ entity, pages: entityPages(discovery, entity) })),
    [discovery],
  );
  const store = useMemo(() => storeFor(app), [app]);
  return (
    <DiscoveryProvider value={discovery}>
      <Admin
        basename={`/t/${app}`}
        dataProvider={dataProvider}
        authProvider={authProvider}
        i18nProvider={i18nProvider}
        store={store}
        layout={Layout}
        dashboard={Home}
        catchAll={NotFound}
        title="Durabase"
        theme={isDark ? darkTheme : lightTheme}
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
          {pagesFor(discovery).map((page) => (
            <Route key={page.path} path={`/${page.path}`} element={<page.component />} />
          ))}
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
