import { createHash } from 'node:crypto';

/** SHA-256 in base64url: what is kept of a random secret, and short names for texts. Passwords are hashed in passwords.ts. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
