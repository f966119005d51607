/** The back office of the platform: the apps and what keeps them. Only for platform users; the API refuses everybody else. */
import { useMemo, type ReactElement } from 'react';
import { Admin, CustomRoutes, type I18nProvider } from 'react-admin';
import { Navigate, Route } from 'react-router-dom';
import { createAuthProvider } from './providers/auth-provider.ts';
import { useIsDark } from './shell/appearance.ts';
import { Layout } from './shell/Layout.tsx';
import { NotFound } from './shell/NotFound.tsx';
import { PLATFORM_PAGES } from './shell/platform-pages.ts';
import { storeFor } from './shell/store.ts';
import { darkTheme, lightTheme } from './theme.ts';

interface PlatformAdminProps {
  readonly i18nProvider: I18nProvider;
  readonly onSignedOut: () => void;
}

const ToApps = (): ReactElement => <Navigate to="/platform/apps" replace />;
const store = storeFor('platform.pages');

export function PlatformAdmin({ i18nProvider, onSignedOut }: PlatformAdminProps): ReactElement {
  const isDark = useIsDark();
  const authProvider = useMemo(() => createAuthProvider(undefined, onSignedOut), [onSignedOut]);
  return (
    <Admin
      basename="/platform"
      authProvider={authProvider}
      i18nProvider={i18nProvider}
      store={store}
      layout={Layout}
      dashboard={ToApps}
      catchAll={NotFound}
      title="Durabase"
      theme={isDark ? darkTheme : lightTheme}
      disableTelemetry
      requireAuth
      loginPage={false}
    >
      <CustomRoutes>
        {PLATFORM_PAGES.map((page) => (
          <Route key={page.path} path={`/${page.path}`} element={<page.component />} />
        ))}
      </CustomRoutes>
    </Admin>
  );
}
