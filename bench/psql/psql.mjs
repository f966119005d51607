/** What lib/pg.mjs asks of psql, by node-postgres: statements on standard input, unaligned tuples on standard output. */
import fs from 'node:fs';
import pg from 'pg';

const args = process.argv.slice(2);
const option = (name) => args[args.indexOf(name) + 1];
const text = fs.readFileSync(0, 'utf8');
const client = new pg.Client({
  host: option('-h'),
  port: Number(option('-p')),
  user: option('-U'),
  database: option('-d'),
  types: { getTypeParser: () => (raw) => raw },
});
await client.connect();
try {
  // Our server reads the file itself: it runs on this machine.
  const statements = text.replace(/^\\copy /gm, 'copy ');
  const answer = await client.query({ text: statements, rowMode: 'array' });
  for (const { rows } of Array.isArray(answer) ? answer : [answer]) for (const row of rows) console.log(row.join('|'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await client.end();
}
