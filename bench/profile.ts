/**
 * Where the api's time goes: a CPU profile under load per scenario, as the functions with the most time of their own.
 *
 *   npm run bench -- profile [--scenarios ABEF] [--seconds 5] [--top 40]
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from '../infra/local/repository.ts';
import { config } from './config.mjs';
import { sampleIds } from './lib/data.mjs';
import { rawRequest } from './lib/http.mjs';
import { runLoad, writeRequests } from './harness/load.ts';
import { ORDER, requestsOf } from './harness/scenarios.ts';
import { durabaseTargets, setUpDurabase } from './harness/targets.ts';
import { pointSharedPartsAt, withWorld, type World } from './harness/world.ts';

const { values } = parseArgs({
  options: {
    scenarios: { type: 'string', default: 'ABEF' },
    seconds: { type: 'string', default: '5' },
    top: { type: 'string', default: '40' },
  },
});

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Share of the busy time by function. Lines are those of dist/. */
function selfTimes(profile: Profile): { readonly name: string; readonly share: number }[] {
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.startsWith('file:') ? path.relative(repositoryRoot(), fileURLToPath(url)) : url;
      return [id, `${functionName || '(anonymous)'} ${file}${file === '' ? '' : `:${lineNumber + 1}`}`];
    }),
  );
  // The load ran at the end; loading the modules is of no interest.
  let left = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  const spent = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const name = names.get(id) ?? '';
    const delta = profile.timeDeltas[index] ?? 0;
    left -= delta;
    if (left < Number(values.seconds) * 1e6 && !name.startsWith('(idle)')) spent.set(name, (spent.get(name) ?? 0) + delta);
  });
  const whole = [...spent.values()].reduce((sum, time) => sum + time, 0);
  return [...spent].map(([name, time]) => ({ name, share: time / whole })).sort((a, b) => b.share - a.share);
}

async function profileAll(world: World): Promise<void> {
  pointSharedPartsAt(world);
  // Runs when it is loaded.
  await import('./seed.mjs');
  const data = sampleIds();
  const storage = await setUpDurabase(world);
  for (const scenario of ORDER.filter((name) => values.scenarios.includes(name))) {
    const folder = path.join(world.dir, `profile-${scenario}`);
    const [target] = await durabaseTargets(world, storage, { nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${folder}`] });
    if (target === undefined) return;
    const requests = requestsOf(scenario, target.requests, data, config.regions).map((request) => rawRequest(target, request));
    const file = writeRequests(path.join(world.dir, 'requests'), requests);
    await runLoad(config.wrk, { port: target.port, connections: config.connections, seconds: Number(values.seconds), file });
    await target.stop();
    const [name] = fs.readdirSync(folder);
    const profile = JSON.parse(fs.readFileSync(path.join(folder, name ?? ''), 'utf8')) as Profile;
    console.log(`\n${scenario}`);
    for (const { name, share } of selfTimes(profile).slice(0, Number(values.top)))
      console.log(`${(share * 100).toFixed(1).padStart(5)} %  ${name}`);
  }
}

await withWorld(profileAll);
