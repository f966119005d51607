/**
 * `/api/:app/_docs`: the description of an app as a page. The page itself tells nothing: it asks for `_openapi.json` as whoever
 * signs in on it. Everything it loads is served here, under a name made of the files' content, so that it can be kept for good.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { escapeHtml } from '../../core/html.ts';
import { textAnswer, type Answer } from '../http/answer.ts';
import type { Call } from '../http/call.ts';
import { noSuchRoute, wrongMethod } from './not-found.ts';

const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

interface Assets {
  /** Changes whenever one of the files does. */
  readonly version: string;
  readonly files: ReadonlyMap<string, string>;
}

let assets: Assets | undefined;

/** Read when the first page is asked for; a process that never shows one never holds them. */
function loadAssets(): Assets {
  if (assets !== undefined) return assets;
  const bundle = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const own = ownFolder();
  const files = new Map(
    [
      [bundle, 'swagger-ui.css'],
      [bundle, 'swagger-ui-bundle.js'],
      [own, 'docs.css'],
      [own, 'docs.js'],
    ].map(([folder = '', name = '']) => [name, fs.readFileSync(path.join(folder, name), 'utf8')] as const),
  );
  const hash = createHash('sha256');
  for (const text of files.values()) hash.update(text);
  assets = { version: hash.digest('hex').slice(0, 16), files };
  return assets;
}

/** Beside the sources, seen from them and from `dist/cli`. */
function ownFolder(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const candidates = [path.join(here, '../docs-page'), path.join(here, '../../api/docs-page')];
  return candidates.find((folder) => fs.existsSync(path.join(folder, 'docs.js'))) ?? here;
}

export function docsRoute(call: Call, appName: string, rest: readonly string[]): Answer {
  call.route = '/api/:app/_docs';
  if (call.method !== 'GET') throw rest.length === 0 ? wrongMethod(call, ['GET']) : noSuchRoute(call);
  const [version, name, ...more] = rest;
  if (version === undefined) return page(call, appName);
  const { version: current, files } = loadAssets();
  const text = name === undefined || more.length > 0 || version !== current ? undefined : files.get(name);
  if (text === undefined || name === undefined) throw noSuchRoute(call);
  const answer = textAnswer(text, 200, { 'Cache-Control': 'public, max-age=31536000, immutable' });
  return { ...answer, type: TYPES[path.extname(name)] ?? 'text/plain; charset=utf-8' };
}

function page(call: Call, appName: string): Answer {
  const { version } = loadAssets();
  const base = escapeHtml((call.request.url ?? '').split('?')[0]?.replace(/\/+$/, '') ?? '');
  const text = PAGE.replaceAll('{{app}}', escapeHtml(appName)).replaceAll('{{assets}}', `${base}/${version}`);
  return { ...textAnswer(text, 200, { 'Content-Security-Policy': PAGE_POLICY }), type: 'text/html; charset=utf-8' };
}

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>API of {{app}}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="{{assets}}/swagger-ui.css">
    <link rel="stylesheet" href="{{assets}}/docs.css">
  </head>
  <body>
    <header>
      <h1>API of {{app}}</h1>
      <form id="sign-in">
        <label>Email <input name="email" type="email" autocomplete="username"></label>
        <label>Password <input name="password" type="password" autocomplete="current-password"></label>
        <label>or an access token <input name="token" type="password" autocomplete="off" spellcheck="false"></label>
        <button type="submit">Show</button>
      </form>
      <p id="message" role="status">Sign in to see what your account may do.</p>
    </header>
    <main id="docs"></main>
    <script src="{{assets}}/swagger-ui-bundle.js" defer></script>
    <script src="{{assets}}/docs.js" defer></script>
  </body>
</html>
`;
