/**
 * OpenID Connect as its client: the code flow with PKCE (S256), state and nonce. The library is loaded by the first sign-in
 * that needs it. Every request to a provider goes through the rules for strangers' servers.
 */
import type { Configuration, CustomFetch } from 'openid-client';
import { OutboundError, type Outbound } from './outbound.ts';

export interface OidcClient {
  /** Differs between clients, and changes with each change of one. */
  readonly key: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret: string | undefined;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
}

/** What only we know of a sign-in under way. */
export interface OidcSecrets {
  readonly nonce: string;
  readonly verifier: string;
}

/** Whom the provider vouches for. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | undefined;
  readonly isEmailVerified: boolean;
}

/** `provider` is the provider's own refusal, with its code; `invalid` an answer that proves nothing. */
export class OidcError extends Error {
  override readonly name = 'OidcError';
  readonly kind: 'unavailable' | 'invalid' | 'provider';
  /** The provider's error code. */
  readonly code: string | undefined;
  constructor(kind: OidcError['kind'], cause: unknown, code?: string) {
    super(cause instanceof Error ? cause.message : 'The provider failed.', { cause });
    this.kind = kind;
    this.code = code;
  }
}

/** What an issuer says of itself. */
export interface IssuerFacts {
  readonly authorization_endpoint: string | null;
  readonly token_endpoint: string | null;
  readonly scopes_supported: readonly string[] | null;
  readonly code_challenge_methods_supported: readonly string[] | null;
}

export interface Oidc {
  /** Asks the issuer now, whatever is remembered. */
  inspect(issuer: string): Promise<IssuerFacts>;
  /** Where the browser is sent, and what has to be kept until it is back. */
  begin(client: OidcClient, state: string): Promise<{ readonly url: string; readonly secrets: OidcSecrets }>;
  /** Whom the query of the callback proves; `query` is taken as it came. */
  finish(client: OidcClient, query: URLSearchParams, state: string, secrets: OidcSecrets): Promise<OidcIdentity>;
}

const REQUEST_MS = 8_000;
const REMEMBERED_MS = 3_600_000;
const MAX_REMEMBERED = 200;
const MAX_SUBJECT = 255;

interface Remembered {
  readonly configuration: Promise<Configuration>;
  readonly until: number;
}

export function createOidc(outbound: Outbound): Oidc {
  const remembered = new Map<string, Remembered>();

  /** What the issuer says of itself, asked once an hour. */
  const configurationOf = (client: OidcClient): Promise<Configuration> => {
    const known = remembered.get(client.key);
    if (known !== undefined && known.until > Date.now()) return known.configuration;
    remembered.delete(client.key);
    const configuration = discover(client, outbound);
    remembered.set(client.key, { configuration, until: Date.now() + REMEMBERED_MS });
    configuration.catch(() => remembered.delete(client.key));
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return configuration;
  };

  return {
    async inspect(issuer) {
      try {
        const facts = (await discover({ issuer, clientId: NOBODY, clientSecret: undefined }, outbound)).serverMetadata();
        return {
          authorization_endpoint: facts.authorization_endpoint ?? null,
          token_endpoint: facts.token_endpoint ?? null,
          scopes_supported: facts.scopes_supported ?? null,
          code_challenge_methods_supported: facts.code_challenge_methods_supported ?? null,
        };
      } catch (error) {
        throw failureOf(error, undefined);
      }
    },
    async begin(client, state) {
      const library = await import('openid-client');
      const configuration = await configurationOf(client);
      const secrets = { nonce: library.randomNonce(), verifier: library.randomPKCECodeVerifier() };
      const url = library.buildAuthorizationUrl(configuration, {
        redirect_uri: client.redirectUri,
        scope: client.scopes.join(' '),
        state,
        nonce: secrets.nonce,
        code_challenge: await library.calculatePKCECodeChallenge(secrets.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, secrets };
    },
    async finish(client, query, state, { nonce, verifier }) {
      const library = await import('openid-client');
      const callback = new URL(client.redirectUri);
      callback.search = query.toString();
      try {
        const configuration = await configurationOf(client);
        const checks = { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true };
        const tokens = await library.authorizationCodeGrant(configuration, callback, checks);
        const claims = tokens.claims();
        if (claims === undefined || claims.sub.length > MAX_SUBJECT) throw new OidcError('invalid', new Error('no usable subject'));
        const hasUserInfo = configuration.serverMetadata().userinfo_endpoint !== undefined;
        // Many providers keep the address out of the ID token; the answer must be of the same subject.
        const profile =
          claims['email'] !== undefined || !hasUserInfo
            ? claims
            : await library.fetchUserInfo(configuration, tokens.access_token, claims.sub);
        return identityOf(claims.iss, claims.sub, profile);
      } catch (error) {
        throw failureOf(error, error instanceof library.AuthorizationResponseError ? error.error : undefined);
      }
    },
  };
}

const identityOf = (issuer: string, subject: string, profile: Readonly<Record<string, unknown>>): OidcIdentity => ({
  issuer,
  subject,
  email: typeof profile['email'] === 'string' ? profile['email'] : undefined,
  isEmailVerified: profile['email_verified'] === true,
});

/** What an issuer says of itself is the same for every client. */
const NOBODY = 'nobody';

async function discover(client: Pick<OidcClient, 'issuer' | 'clientId' | 'clientSecret'>, outbound: Outbound): Promise<Configuration> {
  const library = await import('openid-client');
  const issuer = new URL(client.issuer);
  const secret = client.clientSecret;
  // In the code flow TLS would do for the standard; here the ID token's signature is checked as well.
  const execute = [library.enableNonRepudiationChecks];
  // Providers at plain http are taken only on a development start, and only at this machine.
  if (issuer.protocol === 'http:') execute.push(library.allowInsecureRequests);
  return library.discovery(
    issuer,
    client.clientId,
    undefined,
    secret === undefined
      ? library.None()
      : (server, metadata, body, headers) => {
          const methods = server.token_endpoint_auth_methods_supported;
          const authenticate =
            methods === undefined || methods.includes('client_secret_basic')
              ? library.ClientSecretBasic(secret)
              : library.ClientSecretPost(secret);
          return authenticate(server, metadata, body, headers);
        },
    { execute, [library.customFetch]: fetchThrough(outbound), timeout: REQUEST_MS / 1_000 },
  );
}

/** `fetch` for the library: checked addresses, no redirects, bounded time and size. */
const fetchThrough =
  (outbound: Outbound): CustomFetch =>
  async (url, { method, headers, body }) => {
    const isText = typeof body === 'string' || body instanceof URLSearchParams;
    const request = { url, method, headers, timeoutMs: REQUEST_MS };
    const answer = await outbound.send(isText ? { ...request, body: String(body) } : request);
    const type = answer.headers['content-type'];
    const hasBody = answer.status !== 204 && answer.status !== 304;
    return new Response(hasBody ? answer.body : null, {
      status: answer.status,
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
    });
  };

function failureOf(error: unknown, refusal: string | undefined): OidcError {
  if (error instanceof OidcError) return error;
  if (refusal !== undefined) return new OidcError('provider', error, refusal);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof OutboundError || ('code' in cause && cause.code === 'OAUTH_TIMEOUT')) return new OidcError('unavailable', error);
    if (cause.cause instanceof Response && cause.cause.status >= 500) return new OidcError('unavailable', error);
  }
  return new OidcError('invalid', error);
}
