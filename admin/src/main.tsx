import '@fontsource-variable/inter/index.css';
import createCache from '@emotion/cache';
import { CacheProvider } from '@emotion/react';
import { createTheme, CssBaseline, ThemeProvider } from '@mui/material';
import { StrictMode, useCallback, useEffect, useMemo, useState, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { createBrowserRouter, Navigate, RouterProvider } from 'react-router-dom';
import type { Scope } from '../../client/client.ts';
import { AppAdmin } from './AppAdmin.tsx';
import { Apps } from './pages/Apps.tsx';
import { SignIn } from './pages/SignIn.tsx';
import { isSignedIn, rememberedScope } from './session.ts';
import { darkTheme, lightTheme } from './theme.ts';

/** Styles made at run time carry the page's nonce, so that the policy can forbid every other inline style. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
const cache = createCache({ key: 'd', prepend: true, ...(nonce === undefined ? {} : { nonce }) });

const prefersDark = (): boolean => window.matchMedia('(prefers-color-scheme: dark)').matches;

function Root(): ReactElement | null {
  const [state, setState] = useState<'asking' | 'out' | 'in'>('asking');
  useEffect(() => {
    void isSignedIn().then((signedIn) => setState(signedIn ? 'in' : 'out'));
  }, []);
  const signedOut = useCallback(() => setState('out'), []);
  const router = useMemo(() => {
    const scope = rememberedScope();
    const home = scope.kind === 'app' ? <Navigate to={`/t/${scope.app}`} replace /> : <Apps onSignedOut={signedOut} />;
    return createBrowserRouter(
      [
        { path: '/', element: home },
        { path: '/t/:app/*', element: <AppAdmin onSignedOut={signedOut} /> },
        { path: '*', element: <Navigate to="/" replace /> },
      ],
      { basename: '/admin' },
    );
    // The home page depends on who signed in: `state` stands for the sign-in, so the router is made anew with each one.
  }, [state, signedOut]);
  const theme = useMemo(() => createTheme(prefersDark() ? darkTheme : lightTheme), []);
  if (state === 'asking') return null;
  if (state === 'out') {
    return (
      <ThemeProvider theme={theme}>
        <CssBaseline />
        <SignIn onSignedIn={(scope: Scope) => (rememberHome(scope), setState('in'))} />
      </ThemeProvider>
    );
  }
  return (
    <ThemeProvider theme={theme}>
      <CssBaseline />
      <RouterProvider router={router} />
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
  createRoot(element).render(
    <StrictMode>
      <CacheProvider value={cache}>
        <Root />
      </CacheProvider>
    </StrictMode>,
  );
}
