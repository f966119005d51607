/** Threads of our own files. Each says with its first message that it is there. */
import { Worker, type ResourceLimits } from 'node:worker_threads';
import { AppError } from '../core/errors.ts';

/** Starting a thread compiles what it runs: far longer than most of its work. */
const START_MS = 10_000;

export interface ThreadOptions {
  /** The file's name without its ending. */
  readonly name: string;
  /** `import.meta.url` of a file beside it; what is built lies in one folder. */
  readonly beside: string;
  readonly resourceLimits?: ResourceLimits;
}

/** A thread that is there. It keeps no process alive until somebody waits for it (`ref`). */
export async function startThread({ name, beside, resourceLimits }: ThreadOptions): Promise<Worker> {
  const isSource = beside.endsWith('.ts');
  const file = new URL(`./${name}${isSource ? '.ts' : '.js'}`, beside);
  const options = { env: {}, execArgv: [], ...(resourceLimits === undefined ? {} : { resourceLimits }) };
  // From the sources (tests) the thread loads its file through tsx, which Node does not pass on to threads by itself.
  const worker = isSource
    ? new Worker(`import('tsx/esm/api').then((tsx) => tsx.tsImport(${JSON.stringify(file.href)}, ${JSON.stringify(file.href)}))`, {
        ...options,
        eval: true,
      })
    : new Worker(file, options);
  await new Promise<void>((resolve, reject) => {
    const tooLate = setTimeout(() => reject(new AppError('UNAVAILABLE', `The thread ${name} did not start in time.`)), START_MS);
    worker.once('message', () => (clearTimeout(tooLate), resolve()));
    worker.once('error', (error) => (clearTimeout(tooLate), reject(error)));
  }).catch((error: unknown) => {
    void worker.terminate();
    throw error;
  });
  worker.unref();
  return worker;
}
