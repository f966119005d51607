/** `node dist/infra/local/build-bundle.js`: the last step of the build. */
import fs from 'node:fs';
import path from 'node:path';
import { builtBundle, ensureBundle, repositoryRoot } from './bundle.ts';

const dist = path.join(repositoryRoot(), 'dist');
if (fs.existsSync(path.join(dist, 'workflows', 'index.js'))) {
  const file = await ensureBundle(dist, path.join(dist, '.cache'));
  fs.copyFileSync(file, builtBundle());
}
