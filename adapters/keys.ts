/** Keys and secrets: sealing at rest. Passwords are in passwords.ts, tokens in tokens.ts. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { AppError } from '../core/errors.ts';

export interface Keyring {
  /** AES-256-GCM under SECRET_KEY; `purpose` is bound as associated data. */
  seal(plain: Uint8Array, purpose: string): Buffer;
  open(sealed: Uint8Array, purpose: string): Buffer;
  /** 32 bytes in base64url that only a holder of SECRET_KEY can make of this text; the same every time. */
  derive(text: string, purpose: string): string;
}

/** The first byte of everything sealed: says which form follows, so that another can be added. */
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals with a key derived from SECRET_KEY; a value sealed for one purpose cannot be opened for another. */
export function createKeyring(secretKey: string): Keyring {
  const key = Buffer.from(hkdfSync('sha256', secretKey, 'durabase', 'seal/1', 32));
  const derivation = Buffer.from(hkdfSync('sha256', secretKey, 'durabase', 'derive/1', 32));
  return {
    seal(plain, purpose) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(purpose, 'utf8'));
      return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    derive: (text, purpose) => createHmac('sha256', derivation).update(`${purpose}\0${text}`).digest('base64url'),
    open(sealed, purpose) {
      const bytes = Buffer.from(sealed);
      if (bytes.length < 1 + NONCE_BYTES + TAG_BYTES || bytes[0] !== FORMAT) throw unreadable(purpose);
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + NONCE_BYTES));
      decipher.setAAD(Buffer.from(purpose, 'utf8'));
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES, bytes.length - TAG_BYTES)), decipher.final()]);
      } catch (error) {
        throw unreadable(purpose, error);
      }
    },
  };
}

const unreadable = (purpose: string, cause?: unknown): AppError =>
  new AppError('INTERNAL_ERROR', `A secret kept for "${purpose.split('/')[0] ?? ''}" cannot be opened.`, {
    hint: 'SECRET_KEY differs from the one it was sealed with; start every api and worker with the same key.',
    cause,
  });
