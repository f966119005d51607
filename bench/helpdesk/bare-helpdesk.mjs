// The tour of the README answered by hand: node:http, node-postgres, prepared statements, exactly these requests and nothing else.
import { createHmac, timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:http';
import pg from 'pg';

const { PORT, DATABASE_URL, POOL = '10', SECRET, DISCOVERY_FILE } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: Number(POOL) });
const discovery = fs.readFileSync(DISCOVERY_FILE);
const query = async (name, text, values) => (await pool.query({ name, text, values })).rows;

const BY_PRIORITY = 'from tickets where priority = any($1) and deleted_at is null';
const BY_COMPANY = `from tickets t where deleted_at is null
  and exists (select 1 from customers c where c.id = t.customer_id and c.company like $1)`;

async function listByPriority(priorities, limit) {
  const [rows, [{ count }]] = await Promise.all([
    query('byPriority', `select id, title, status, priority ${BY_PRIORITY} order by priority desc, title, id limit $2`, [
      priorities,
      limit,
    ]),
    query('countByPriority', `select count(*)::int ${BY_PRIORITY}`, [priorities]),
  ]);
  return { data: rows, meta: { page: 1, per_page: limit, total: count } };
}

async function listByCompany(pattern, limit) {
  const [rows, [{ count }]] = await Promise.all([
    query(
      'byCompany',
      `select t.*, (select row_to_json(c) from customers c where c.id = t.customer_id) as customer ${BY_COMPANY} order by id limit $2`,
      [pattern, limit],
    ),
    query('countByCompany', `select count(*)::int ${BY_COMPANY}`, [pattern]),
  ]);
  const responses = await query('responses', 'select * from responses where ticket_id = any($1) order by id', [rows.map((row) => row.id)]);
  for (const row of rows) row.responses = responses.filter((response) => response.ticket_id === row.id);
  return { data: rows, meta: { page: 1, per_page: limit, total: count } };
}

const get = async (id) => (await query('get', 'select * from tickets where id = $1 and deleted_at is null', [id]))[0];
const create = async (b) =>
  (
    await query('create', 'insert into tickets (title, description, customer_id) values ($1, $2, $3) returning *', [
      b.title,
      b.description,
      b.customer_id,
    ])
  )[0];
const update = async (id, b) =>
  (
    await query('update', 'update tickets set category = $2, updated_at = now() where id = $1 and deleted_at is null returning *', [
      id,
      b.category,
    ])
  )[0];

function isSignedIn(header) {
  const [head, body, signature] = (header ?? '').replace('Bearer ', '').split('.');
  const mac = createHmac('sha256', SECRET).update(`${head}.${body}`).digest();
  const given = Buffer.from(signature ?? '', 'base64url');
  return (
    given.length === mac.length && timingSafeEqual(given, mac) && JSON.parse(Buffer.from(body, 'base64url').toString()).sub !== undefined
  );
}

const read = (request) =>
  new Promise((resolve, reject) => {
    const chunks = [];
    request
      .on('data', (chunk) => chunks.push(chunk))
      .on('end', () => resolve(JSON.parse(Buffer.concat(chunks))))
      .on('error', reject);
  });

function send(response, body, status = 200) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body ?? { error: {} }));
  response
    .writeHead(body === undefined ? 404 : status, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length })
    .end(bytes);
}

async function answer(request, response) {
  if (!isSignedIn(request.headers.authorization)) return send(response, { error: {} }, 401);
  const mark = request.url.indexOf('?');
  const path = mark < 0 ? request.url : request.url.slice(0, mark);
  if (path === '/_discovery') return send(response, discovery);
  if (path === '/tickets' && request.method === 'POST') {
    const body = await read(request);
    if (body.title.length < 5) return send(response, { error: { code: 'VALIDATION_FAILED' } }, 422);
    return send(response, { data: await create(body) }, 201);
  }
  if (path === '/tickets') {
    const parameters = new URLSearchParams(request.url.slice(mark + 1));
    const limit = Number(parameters.get('per_page'));
    const company = parameters.get('company');
    return send(
      response,
      company === null ? await listByPriority(parameters.get('priority').split(','), limit) : await listByCompany(company, limit),
    );
  }
  const id = path.slice('/tickets/'.length);
  return send(response, { data: request.method === 'PATCH' ? await update(id, await read(request)) : await get(id) });
}

createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
}).listen(Number(PORT), '127.0.0.1');
