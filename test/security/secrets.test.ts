import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeyring } from '../../adapters/keys.ts';
import { hashPassword, verifyPassword } from '../../adapters/passwords.ts';

describe('sealing', () => {
  const keyring = createKeyring('k'.repeat(32));

  it('opens what it sealed, for the same purpose only', () => {
    const sealed = keyring.seal(Buffer.from('whsec_1'), 'webhook/a');
    expect(keyring.open(sealed, 'webhook/a').toString()).toBe('whsec_1');
    expect(() => keyring.open(sealed, 'webhook/b')).toThrow(/cannot be opened/);
  });

  it('never seals twice alike, and refuses what was changed or sealed with another key', () => {
    const sealed = keyring.seal(Buffer.from('x'), 'p');
    expect(keyring.seal(Buffer.from('x'), 'p').equals(sealed)).toBe(false);
    for (let i = 0; i < sealed.length; i++) {
      const broken = Buffer.from(sealed);
      broken[i] = (broken[i] ?? 0) ^ 1;
      expect(() => keyring.open(broken, 'p')).toThrow();
    }
    expect(() => createKeyring(randomBytes(32).toString('hex')).open(sealed, 'p')).toThrow(/SECRET_KEY|cannot be opened/);
  });
});

describe('passwords', () => {
  it('verifies the right one and no other; the parameters stand in the hash', async () => {
    const hash = await hashPassword('correct horse');
    expect(hash).toMatch(/^\$scrypt\$ln=\d+,r=\d+,p=\d+\$/);
    expect(await verifyPassword('correct horse', hash)).toBe(true);
    expect(await verifyPassword('correct hors', hash)).toBe(false);
    expect(await hashPassword('correct horse')).not.toBe(hash);
  });

  it('takes about as long for an unknown account as for a wrong password', async () => {
    const hash = await hashPassword('p');
    const time = async (stored: string | undefined): Promise<number> => {
      const samples: number[] = [];
      for (let i = 0; i < 5; i++) {
        const start = performance.now();
        expect(await verifyPassword('wrong', stored)).toBe(false);
        samples.push(performance.now() - start);
      }
      return Math.min(...samples);
    };
    const [known, unknown] = [await time(hash), await time(undefined)];
    expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(2);
  });

  it('is never true for a hash that is missing or malformed', async () => {
    expect(await verifyPassword('', undefined)).toBe(false);
    expect(await verifyPassword('', '')).toBe(false);
    expect(await verifyPassword('x', '$2b$10$abcdefghijklmnopqrstuv')).toBe(false);
  });
});
