/** bcrypt off the main thread. There are as many threads as callers at once; who calls bounds that. */
import type { Worker } from 'node:worker_threads';
import { AppError } from '../core/errors.ts';
import { startThread } from './thread.ts';

export interface BcryptQuestion {
  readonly password: string;
  readonly hash: string;
}

const idle: Worker[] = [];

/** True when the password is the one behind the hash. */
export async function isBehindBcrypt(password: string, hash: string): Promise<boolean> {
  const worker = idle.pop() ?? (await open());
  const answer = await ask(worker, { password, hash });
  idle.push(worker);
  return answer;
}

async function open(): Promise<Worker> {
  const worker = await startThread({ name: 'bcrypt-thread', beside: import.meta.url });
  // One that ends while nobody waits for it must not be asked.
  worker.on('error', () => undefined);
  worker.on('exit', () => idle.includes(worker) && idle.splice(idle.indexOf(worker), 1));
  return worker;
}

/** A thread that fails is not asked again. */
function ask(worker: Worker, question: BcryptQuestion): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      worker.off('message', onAnswer);
      worker.off('error', onEnd);
      worker.off('exit', onEnd);
      worker.unref();
    };
    const onAnswer = (answer: boolean): void => {
      end();
      resolve(answer);
    };
    const onEnd = (cause: unknown): void => {
      end();
      reject(new AppError('INTERNAL_ERROR', 'The thread that compares bcrypt hashes has ended.', { cause }));
    };
    worker.on('message', onAnswer);
    worker.on('error', onEnd);
    worker.on('exit', onEnd);
    worker.ref();
    worker.postMessage(question);
  });
}
