/** The built back office under /admin. Its index.html gets a fresh nonce each time, so that no script but its own ever runs. */
import express, { type RequestHandler, type Router } from 'express';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PLACEHOLDER = '__CSP_NONCE__';

/** Where the build is, seen from the sources and from `dist/cli`. */
function buildFolder(): string | undefined {
  const here = path.dirname(fileURLToPath(import.meta.url));
  return [path.join(here, '../admin/dist'), path.join(here, '../../admin/dist')].find((folder) =>
    fs.existsSync(path.join(folder, 'index.html')),
  );
}

function policy(nonce: string): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export function adminPages(folder: string | undefined = buildFolder()): Router {
  const router = express.Router();
  const headers: RequestHandler = (_request, response, next) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('X-Frame-Options', 'DENY');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    next();
  };
  router.use(headers);
  if (folder === undefined) return router.use(missing);
  // Files of a build are named after their content.
  router.use('/assets', gzipped(path.join(folder, 'assets')));
  router.use('/assets', express.static(path.join(folder, 'assets'), { immutable: true, maxAge: '1y', index: false, fallthrough: false }));
  router.use(express.static(folder, { index: false, maxAge: '1h' }));
  return router.use(page(path.join(folder, 'index.html')));
}

/** The compressed twin that the build made of a file, for whoever takes it. */
function gzipped(folder: string): RequestHandler {
  const files = new Set(fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith('.gz')) : []);
  return (request, response, next) => {
    const twin = `${request.path.slice(1)}.gz`;
    if (!files.has(twin)) return next();
    response.vary('Accept-Encoding');
    if (request.acceptsEncodings('gzip') === 'gzip') {
      response.type(path.extname(request.path)).setHeader('Content-Encoding', 'gzip');
      request.url = `/${twin}`;
    }
    next();
  };
}

/** The application itself, for every path it may be at. */
function page(file: string): RequestHandler {
  let cached: { readonly at: number; readonly html: string } | undefined;
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    const changedAt = fs.statSync(file).mtimeMs;
    if (cached?.at !== changedAt) cached = { at: changedAt, html: fs.readFileSync(file, 'utf8') };
    const nonce = randomBytes(16).toString('base64');
    response.setHeader('Content-Security-Policy', policy(nonce));
    response.setHeader('Cache-Control', 'no-store');
    response.type('html').send(cached.html.replaceAll(PLACEHOLDER, nonce));
  };
}

const missing: RequestHandler = (_request, response) => {
  response.status(503).type('text/plain').setHeader('Content-Security-Policy', "default-src 'none'");
  response.send('The admin is not built yet. Run `npm start`, which builds it.\n');
};
