/** A real OpenID provider in this process, and a browser to walk through its pages: cookies by host and path, no scripts. */
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK, type JWTPayload } from 'jose';
import http from 'node:http';
import Provider, { type ClientMetadata } from 'oidc-provider';
import { freePort } from '../../infra/local/system.ts';

export interface Person {
  readonly email?: string;
  readonly email_verified?: boolean;
}

export interface Idp {
  readonly issuer: string;
  /** Who is at the keyboard; undefined refuses. */
  person: string | undefined;
  readonly people: Map<string, Person>;
  /** What the token endpoint answers in place of its ID token. */
  tamper: ((idToken: string) => Promise<string>) | undefined;
  /** Signs with the provider's own key. */
  sign(claims: JWTPayload): Promise<string>;
  close(): Promise<void>;
}

const minute = 60;

export async function startIdp(clients: readonly ClientMetadata[]): Promise<Idp> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk: JWK = { ...(await exportJWK(privateKey)), kid: 'first', alg: 'RS256', use: 'sig' };
  const idp: Idp = {
    issuer,
    person: undefined,
    people: new Map(),
    tamper: undefined,
    sign: async (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'first' }).sign(await importJWK(jwk, 'RS256')),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const provider = new Provider(issuer, {
    clients: [...clients],
    jwks: { keys: [jwk as never] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['a key of the tests'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    ttl: { AccessToken: minute, AuthorizationCode: minute, IdToken: minute, Interaction: minute, Session: minute, Grant: minute },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, ...idp.people.get(sub) }) }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId ?? '',
        accountId: ctx.oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    await next();
    const body = ctx.body as { id_token?: string } | undefined;
    if (ctx.path === '/token' && body?.id_token !== undefined && idp.tamper !== undefined) body.id_token = await idp.tamper(body.id_token);
  });
  const answer = provider.callback();
  const server = http.createServer((request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return void answer(request, response);
    const result = idp.person === undefined ? { error: 'access_denied' } : { login: { accountId: idp.person } };
    void provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return idp;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

export class TestBrowser {
  private cookies: Cookie[] = [];
  /** Every Set-Cookie header seen. */
  readonly seen: string[] = [];

  cookieHeader(url: URL): string {
    return this.cookies
      .filter(
        ({ host, path }) => host === url.host && (url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`)),
      )
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  async fetch(address: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(address);
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie: this.cookieHeader(url) } });
    for (const text of response.headers.getSetCookie()) {
      this.seen.push(text);
      const [pair = '', ...attributes] = text.split(';').map((part) => part.trim());
      const mark = pair.indexOf('=');
      const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/';
      const cookie = { host: url.host, path, name: pair.slice(0, mark), value: pair.slice(mark + 1) };
      this.cookies = [...this.cookies.filter((one) => one.name !== cookie.name || one.host !== cookie.host || one.path !== path), cookie];
    }
    return response;
  }

  /** Follows redirects until an address begins with `end`; answers it without opening it. */
  async follow(from: string, end: string, alter: (url: URL) => void = () => undefined): Promise<URL> {
    let url = new URL(from);
    for (let hops = 0; hops < 15; hops++) {
      alter(url);
      if (url.href.startsWith(end)) return url;
      const response = await this.fetch(url.href);
      const location = response.headers.get('location');
      if (location === null) throw new Error(`${url.href} answered ${response.status}: ${await response.text()}`);
      url = new URL(location, url);
    }
    throw new Error(`Too many redirects from ${from}.`);
  }
}
