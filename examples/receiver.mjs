#!/usr/bin/env node
// A webhook receiver for trying things out: prints every call, and checks the signature when SECRET=whsec_... is given.
// Usage: node examples/receiver.mjs [port, 4010 when left out]
import { createHmac, timingSafeEqual } from 'node:crypto';
import http from 'node:http';

const port = Number(process.argv[2] ?? 4010);
const key = process.env.SECRET === undefined ? undefined : Buffer.from(process.env.SECRET.replace(/^whsec_/, ''), 'base64');

function signatureState(headers, body) {
  if (key === undefined) return 'not checked';
  const wanted = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest();
  const given = String(headers['webhook-signature'] ?? '')
    .split(' ')
    .map((part) => Buffer.from(part.replace(/^v1,/, ''), 'base64'));
  return given.some((one) => one.length === wanted.length && timingSafeEqual(one, wanted)) ? 'good' : 'BAD';
}

http
  .createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const { event, entity, record } = JSON.parse(body || '{}');
      console.log(
        `${new Date().toISOString()} ${request.url} ${event} ${entity} ${record?.id ?? ''} signature ${signatureState(request.headers, body)}`,
      );
      response.writeHead(204).end();
    });
  })
  .listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${port}/`));
