/** A thread that does nothing but compare passwords with bcrypt hashes: a hash keeps it busy for tenths of a second. */
import { parentPort } from 'node:worker_threads';
import bcrypt from 'bcryptjs';
import type { BcryptQuestion } from './bcrypt.ts';

parentPort?.on('message', ({ password, hash }: BcryptQuestion) => parentPort?.postMessage(bcrypt.compareSync(password, hash)));
parentPort?.postMessage(true);
