import '@fontsource-variable/inter/index.css';
import createCache from '@emotion/cache';
import { CacheProvider } from '@emotion/react';
import { createTheme, CssBaseline, ThemeProvider } from '@mui/material';
import { StrictMode, useCallback, useEffect, useMemo, useState, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createBrowserRouter, Navigate, RouterProvider } from 'react-router-dom';
import type { I18nProvider } from 'react-admin';
import type { Scope } from '../../client/client.ts';
import { AppAdmin } from './AppAdmin.tsx';
import { createI18nProvider } from './i18n/provider.ts';
import { SignIn } from './pages/SignIn.tsx';
import { PlatformAdmin } from './PlatformAdmin.tsx';
import { isSignedIn, rememberedScope } from './session.ts';
import { useIsDark } from './shell/appearance.ts';
import { darkTheme, lightTheme } from './theme.ts';

/** Styles made at run time carry the page's nonce, so that the policy can forbid every other inline style. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
const cache = createCache({ key: 'd', prepend: true, ...(nonce === undefined ? {} : { nonce }) });

function Root({ i18nProvider }: { readonly i18nProvider: I18nProvider }): ReactElement | null {
  const [state, setState] = useState<'asking' | 'out' | 'in'>('asking');
  useEffect(() => {
    void isSignedIn().then((signedIn) => setState(signedIn ? 'in' : 'out'));
  }, []);
  const signedOut = useCallback(() => setState('out'), []);
  const router = useMemo(() => {
    const scope = rememberedScope();
    const home = scope.kind === 'app' ? `/t/${scope.app}` : '/platform/apps';
    return createBrowserRouter(
      [
        { path: '/t/:app/*', element: <AppAdmin i18nProvider={i18nProvider} onSignedOut={signedOut} /> },
        // An app's own user has no platform to look at.
        ...(scope.kind === 'platform'
          ? [{ path: '/platform/*', element: <PlatformAdmin i18nProvider={i18nProvider} onSignedOut={signedOut} /> }]
          : []),
        { path: '*', element: <Navigate to={home} replace /> },
      ],
      { basename: '/admin' },
    );
    // The home page depends on who signed in: `state` stands for the sign-in, so the router is made anew with each one.
  }, [state, signedOut, i18nProvider]);
  const isDark = useIsDark();
  const theme = useMemo(() => createTheme(isDark ? darkTheme : lightTheme), [isDark]);
  if (state === 'asking') return null;
  return (
    <ThemeProvider theme={theme}>
      <CssBaseline />
      {state === 'out' ? (
        <SignIn onSignedIn={(scope: Scope) => (rememberHome(scope), setState('in'))} />
      ) : (
        <RouterProvider router={router} />
      )}
    </ThemeProvider>
  );
}

/** A deep link that was asked for before the sign-in stays the address; anything else starts at the person's home. */
function rememberHome(scope: Scope): void {
  const wanted = /^\/admin\/t\/([^/]+)/.exec(window.location.pathname)?.[1];
  if (scope.kind === 'app' && wanted !== scope.app) window.history.replaceState(null, '', `/admin/t/${scope.app}`);
}

const element = document.getElementById('root');
if (element !== null) {
  void createI18nProvider().then((i18nProvider) =>
    createRoot(element).render(
      <StrictMode>
        <CacheProvider value={cache}>
          <Root i18nProvider={i18nProvider} />
        </CacheProvider>
      </StrictMode>,
    ),
  );
}
