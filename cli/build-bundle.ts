/** `node dist/cli/build-bundle.js`: the last step of the build. Written in one step, as a running worker may be loading it. */
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../infra/local/repository.ts';
import { buildWorkflowBundle } from '../workers/bundle.ts';

const file = path.join(repositoryRoot(), 'dist', 'workflow-bundle.js');
const { code } = await buildWorkflowBundle();
fs.writeFileSync(`${file}.${process.pid}`, code);
fs.renameSync(`${file}.${process.pid}`, file);
