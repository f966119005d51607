/**
 * How long publishing a change takes with everything on one machine: twenty times a new entity through POST _admin/entities,
 * each used at once by creating a record.
 *
 *   npm run bench -- publish [--times 20]
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../infra/local/repository.ts';
import { psql } from './lib/pg.mjs';
import { median } from './harness/table.ts';
import { createApp, pointSharedPartsAt, withStack, withWorld } from './harness/world.ts';

const { values } = parseArgs({ options: { times: { type: 'string', default: '20' } } });
const APP = 'helpdesk';
/** The product's own target for the median. */
const TARGET_MS = 500;

const times = await withWorld(async (world) => {
  pointSharedPartsAt(world);
  psql('postgres', 'create database durabase');
  const document: unknown = JSON.parse(fs.readFileSync(path.join(repositoryRoot(), 'examples', 'helpdesk-ticketing.json'), 'utf8'));
  return withStack(world, 'durabase', async ({ call }) => {
    await createApp(call, APP, document);
    const took: number[] = [];
    for (let count = 1; count <= Number(values.times); count++) {
      const fields = [
        { name: 'title', type: 'string', required: true },
        { name: 'views', type: 'int', default: 0 },
        { name: 'ticket', type: 'relation', target: 'ticket' },
      ];
      const started = performance.now();
      await call('POST', `/api/${APP}/_admin/entities`, { name: `article_${count}`, fields });
      took.push(performance.now() - started);
      await call('POST', `/api/${APP}/article_${count}`, { title: 'How to put out a printer' });
      console.error(`· ${count}: ${Math.round(took.at(-1) ?? 0)} ms`);
    }
    return took;
  });
});

const sorted = [...times].sort((a, b) => a - b);
console.log(
  `publishing a new entity, ${times.length} times: p50 ${Math.round(median(times))} ms, least ${Math.round(sorted[0] ?? 0)} ms, most ${Math.round(sorted.at(-1) ?? 0)} ms`,
);
if (median(times) > TARGET_MS) {
  console.error(`The median is over the target of ${TARGET_MS} ms.`);
  process.exitCode = 1;
}
