/** The workflow code as one script: built ahead (`npm run build`), or built here once per content and kept. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger as TemporalLogger, type WorkflowBundleOption } from '@temporalio/worker';

const here = path.dirname(fileURLToPath(import.meta.url));
/** False in a checkout, true in `dist/cli`. */
const isBuilt = import.meta.url.endsWith('.js');
const sources = path.resolve(here, isBuilt ? '../..' : '..');

/** The bundle beside the built code when there is one; otherwise from `cacheDir` by content, built on a miss (5-8 s). */
export async function loadWorkflowBundle(cacheDir: string): Promise<WorkflowBundleOption> {
  const prebuilt = path.join(here, '..', 'workflow-bundle.js');
  if (isBuilt && fs.existsSync(prebuilt)) return { codePath: prebuilt };
  const codePath = path.resolve(cacheDir, `workflow-bundle-${contentHash()}.js`);
  if (fs.existsSync(codePath)) return { codePath };
  const { code } = await buildWorkflowBundle();
  fs.mkdirSync(path.dirname(codePath), { recursive: true });
  // Written aside and renamed: another process may be reading.
  const partial = `${codePath}.${process.pid}`;
  fs.writeFileSync(partial, code);
  fs.renameSync(partial, codePath);
  return { codePath };
}

/** Builds it. A `node:` import in workflow code fails here. */
export async function buildWorkflowBundle(): Promise<{ readonly code: string }> {
  return bundleWorkflowCode({ workflowsPath: path.join(sources, 'workflows', 'index.ts'), logger: SILENT });
}

const nothing = (): void => undefined;
const SILENT: TemporalLogger = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Workflow code imports only these folders and the SDK; with the SDK's version they are its content. */
function contentHash(): string {
  const hash = createHash('sha256');
  hash.update(fs.readFileSync(createRequire(import.meta.url).resolve('@temporalio/workflow/package.json')));
  for (const folder of ['workflows', 'core']) {
    const files = fs
      .readdirSync(path.join(sources, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .sort();
    for (const file of files) hash.update(`${folder}/${file}\0`).update(fs.readFileSync(path.join(sources, folder, file)));
  }
  return hash.digest('hex').slice(0, 16);
}
