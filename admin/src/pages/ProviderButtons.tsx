/** Signing in at a provider: its button, and what it sends back in the address. */
import { Button, Stack } from '@mui/material';
import { useEffect, useState, type ReactElement } from 'react';
import { ApiError, providerStart, type PendingSignIn, type Scope, type SignInProvider } from '../../../client/client.ts';
import { client, rememberedScope, rememberScope, signInWithCode } from '../session.ts';

/** Long enough that a name that is being typed is not asked for letter by letter. */
const PAUSE_MS = 300;

export function ProviderButtons({ scope }: { readonly scope: Scope }): ReactElement | null {
  const [providers, setProviders] = useState<readonly SignInProvider[]>([]);
  const app = scope.kind === 'app' ? scope.app : '';
  useEffect(() => {
    let isCurrent = true;
    const show = (found: readonly SignInProvider[]): void => {
      if (isCurrent) setProviders(found);
    };
    show([]);
    const where: Scope = app === '' ? { kind: 'platform' } : { kind: 'app', app };
    // An app that is not there, or not yet typed to its end, has no buttons; the form says so when it is sent.
    const timer = setTimeout(() => void client.providers(where).then(show, () => show([])), PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [app]);
  if (providers.length === 0) return null;
  const leave = (provider: string): void => {
    rememberScope(scope);
    window.location.assign(providerStart(scope, provider, '/admin/'));
  };
  return (
    <Stack component="section" aria-label="Other ways to sign in" spacing={1}>
      {providers.map((provider) => (
        <Button key={provider.name} type="button" variant="outlined" onClick={() => leave(provider.name)}>
          Continue with {provider.display_name}
        </Button>
      ))}
    </Stack>
  );
}

/** By the code only: anybody can write a link to this page with words of their own. */
function explain(error: string | null): string {
  switch (error) {
    case 'signup_disabled':
      return 'There is no account with your email address. Ask an admin for an invite.';
    case 'email_not_verified':
      return 'The sign-in provider does not vouch for your email address.';
    case 'account_inactive':
      return 'The account is not active.';
    case 'provider_unavailable':
      return 'The sign-in provider does not answer. Try again in a moment.';
    default:
      return 'The sign-in provider did not sign you in.';
  }
}

interface AnswerHandlers {
  readonly onSignedIn: (scope: Scope) => void;
  /** The account needs a code besides. */
  readonly onPending: (pending: PendingSignIn) => void;
  readonly onProblem: (message: string) => void;
}

/** Swaps the code in the page's address for a session, or shows why there is none. Neither stays in the address. */
export function useProviderAnswer({ onSignedIn, onPending, onProblem }: AnswerHandlers): void {
  useEffect(() => {
    const { pathname, search, hash } = window.location;
    const query = new URLSearchParams(search);
    const [code, error] = [query.get('code'), query.get('error')];
    if (code === null && error === null) return;
    window.history.replaceState(null, '', pathname + hash);
    if (code === null) {
      onProblem(explain(error));
      return;
    }
    const scope = rememberedScope();
    signInWithCode(scope, code).then(
      (pending) => (pending === undefined ? onSignedIn(scope) : onPending(pending)),
      (problem: unknown) => onProblem(problem instanceof ApiError ? problem.message : 'Signing in failed.'),
    );
    // Once per page load: the address is clean afterwards, and the handlers are made anew by each render.
  }, []);
}
