/** What pure functions are handed: digests, chance and the moment. */
import { createHash, randomBytes } from 'node:crypto';
import { hashPassword } from '../../adapters/passwords.ts';
import type { FunctionTools } from '../../core/functions/function.ts';
import type { AppRuntime, Services } from '../context.ts';

export const toolsFor = (services: Services, app: Pick<AppRuntime, 'id'>, now: Date): FunctionTools => ({
  digest: (algorithm, text) => createHash(algorithm).update(text, 'utf8').digest('hex'),
  hmac: (keyName, text) => Buffer.from(services.keyring.derive(text, `function/${app.id}/${keyName}`), 'base64url').toString('hex'),
  random: (bytes) => randomBytes(bytes),
  hashPassword,
  now,
});
