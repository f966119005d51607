/**
 * The Temporal Web UI under /temporal, for accounts of the platform. It is another program (TEMPORAL_UI_UPSTREAM) behind the session
 * of the back office: `POST /temporal/_session` puts the access token into a cookie that no script can read, and each request is
 * held against it. See ADR 39.
 */
import express, { type Request, type Response, type Router } from 'express';
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { ACCESS_SECONDS, PLATFORM_REALM, type VerifiedToken } from '../adapters/tokens.ts';
import { temporalUiUnavailable } from '../adapters/temporal/ui.ts';
import { AppError, isAppError } from '../core/errors.ts';
import type { Api } from './api.ts';
import { cookieIn } from './http/cookies.ts';

const COOKIE = 'durabase_temporal';
/** Where the back office asks for the cookie and comes back. */
const DOOR = '/admin/platform/temporal';
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** Of one connection, or ours to say: neither goes through. */
const NOT_FORWARDED = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['host', 'cookie', 'authorization', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'],
]);
const NOT_ANSWERED = new Set([...NOT_FORWARDED, 'set-cookie', 'x-frame-options', 'strict-transport-security']);

/** Undefined without a Web UI to show: the path is then one like any other that does not exist. */
export function temporalPages(api: Api): Router | undefined {
  const { uiUpstream } = api.services.config.temporal;
  if (uiUpstream === undefined) return undefined;
  const upstream = new URL(uiUpstream);
  const agent = new (upstream.protocol === 'https:' ? https : http).Agent({ keepAlive: true, maxSockets: 64 });
  const router = express.Router();
  router.post('/_session', (request, response, next) => void open(api, request, response).catch(next));
  return router.use((request, response, next) => void pass(api, { upstream, agent }, request, response).catch(next));
}

async function open(api: Api, request: Request, response: Response): Promise<void> {
  const [, token] = /^bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined)
    throw new AppError('UNAUTHORIZED', 'This needs the access token of a platform account.', {
      hint: 'Sign in with POST /api/_platform/auth/login and send "Authorization: Bearer <access_token>".',
    });
  await api.tokens.verify(token, PLATFORM_REALM);
  response.setHeader('Set-Cookie', cookieText(api, token));
  response.setHeader('Cache-Control', 'no-store');
  response.status(204).end();
}

function cookieText(api: Api, token: string): string {
  const secure = api.services.config.publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${COOKIE}=${token}; Path=/temporal; Max-Age=${ACCESS_SECONDS}; HttpOnly; SameSite=Strict${secure}`;
}

interface Upstream {
  readonly upstream: URL;
  readonly agent: http.Agent;
}

async function pass(api: Api, to: Upstream, request: Request, response: Response): Promise<void> {
  const token = cookieIn(request.headers.cookie, COOKIE);
  const operator = token === undefined ? undefined : await operatorOf(api, token);
  if (token === undefined || operator === undefined) return turnAway(request, response);
  // While it is used the session goes on; the account's end, or its sessions', ends it at once.
  if (operator.expiresAt - Date.now() < (ACCESS_SECONDS * 1000) / 2)
    response.setHeader('Set-Cookie', cookieText(api, await api.tokens.issue(PLATFORM_REALM, operator)));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const { email } = operator;
    api.services.log.info({ user: email, method: request.method, path: request.path.slice(0, 300) }, 'an operator acts in Temporal');
  }
  await forward(to, request, response);
}

async function operatorOf(api: Api, token: string): Promise<VerifiedToken | undefined> {
  try {
    return api.tokens.recall(token, PLATFORM_REALM) ?? (await api.tokens.verify(token, PLATFORM_REALM));
  } catch (error) {
    if (isAppError(error, 'UNAUTHORIZED')) return undefined;
    throw error;
  }
}

/** A person is led to the back office, which knows whether somebody is signed in, and back. */
function turnAway(request: Request, response: Response): void {
  if (request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')) {
    response.setHeader('Cache-Control', 'no-store');
    return response.redirect(302, `${DOOR}?to=${encodeURIComponent(request.originalUrl)}`);
  }
  throw new AppError('UNAUTHORIZED', 'The Temporal Web UI is for accounts of the platform.', { hint: `Open it from ${DOOR}.` });
}

async function forward({ upstream, agent }: Upstream, request: Request, response: Response): Promise<void> {
  const { request: send } = upstream.protocol === 'https:' ? https : http;
  const target = new URL(request.originalUrl, upstream.origin);
  const isPage = (request.headers.accept ?? '').includes('text/html');
  const asked = send(target, { method: request.method, headers: forwarded(request, isPage), agent });
  response.once('close', () => asked.destroy());
  request.pipe(asked);
  const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', (cause) => reject(temporalUiUnavailable(cause)));
  });
  asked.on('error', () => response.destroy());
  response.status(answer.statusCode ?? 502);
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined && !NOT_ANSWERED.has(name)) response.setHeader(name, value);
  for (const cookie of answer.headers['set-cookie'] ?? [])
    response.append('Set-Cookie', cookie.replace(/;\s*path=\/(?=;|$)/i, '; Path=/temporal'));
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  const isOurs =
    isPage && /^text\/html/i.test(answer.headers['content-type'] ?? '') && answer.headers['content-security-policy'] === undefined;
  if (isOurs) return sendPage(answer, request, response);
  answer.pipe(response);
}

function forwarded(request: Request, isPage: boolean): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(request.headers)) if (!NOT_FORWARDED.has(name)) headers[name] = value;
  const cookies = (request.headers.cookie ?? '').split(/;\s*/).filter((pair) => pair !== '' && !pair.startsWith('durabase_'));
  if (cookies.length > 0) headers['cookie'] = cookies.join('; ');
  // A page is read here, for the scripts within it.
  if (isPage) headers['accept-encoding'] = 'identity';
  return headers;
}

/** With a public path its server sends no policy. Ours lets its scripts speak to nothing but Temporal: our API is of the same origin. */
async function sendPage(answer: http.IncomingMessage, request: Request, response: Response): Promise<void> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_PAGE_BYTES) throw temporalUiUnavailable(new Error('its page is too long'));
    parts.push(part);
  }
  const html = Buffer.concat(parts);
  response.setHeader('Content-Security-Policy', policy(html.toString('utf8'), request.headers.host ?? ''));
  response.setHeader('X-Frame-Options', 'SAMEORIGIN');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Length', html.length);
  response.end(request.method === 'HEAD' ? undefined : html);
}

const INLINE_SCRIPT = /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/gi;

function policy(html: string, host: string): string {
  const hashes = [...html.matchAll(INLINE_SCRIPT)].map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  const here = /^[\w.:[\]-]+$/.test(host) ? `${host}/temporal/` : "'self'";
  return [
    "default-src 'none'",
    `script-src ${[here, ...hashes].join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `media-src ${here}`,
    `connect-src ${here}`,
    `frame-src ${here}`,
    `worker-src ${here} blob:`,
    `manifest-src ${here}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; ');
}
