/** Every recorded history replays against today's workflow code; a workflow type without one fails here. */
import fs from 'node:fs';
import path from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { workflowBundle } from '../support/temporal.ts';
import { HISTORIES, readHistory } from './record.ts';

const index = fs.readFileSync(path.resolve(import.meta.dirname, '../../workflows/index.ts'), 'utf8');
const types = [...index.matchAll(/^export \{ (\w+) \} from/gm)].map((match) => match[1] ?? '');

const casesOf = (type: string): string[] => {
  const folder = path.join(HISTORIES, type);
  return fs.existsSync(folder) ? fs.readdirSync(folder).filter((file) => file.endsWith('.json')).sort() : [];
};

let codePath: string;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  codePath = await workflowBundle();
}, 60_000);

describe('the workflow types', () => {
  it('are listed one export a line', () => {
    expect(types).toContain('process');
    expect(types).toHaveLength(index.match(/^export /gm)?.length ?? 0);
  });
});

describe.each(types)('%s', (type) => {
  it('has a recorded history', () => {
    expect(casesOf(type), `record one with RECORD_HISTORIES=1 into test/replay/${type}/`).not.toEqual([]);
  });

  it.each(casesOf(type))('replays %s', async (file) => {
    const history = readHistory(path.join(HISTORIES, type, file));
    const workflowId = `${type}/replay/${path.basename(file, '.json')}`;
    await Worker.runReplayHistory({ workflowBundle: { codePath }, dataConverter }, history, workflowId);
  });
});
