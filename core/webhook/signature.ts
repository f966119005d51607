/** Standard Webhooks (symmetric, `v1`): what is signed and how the headers look. The HMAC itself is passed in. */

/** HMAC-SHA256 of UTF-8 text, base64. */
export type Hmac = (key: Uint8Array, text: string) => string;

/** `whsec_` and 24 to 64 bytes in base64. */
export const SECRET_PREFIX = 'whsec_';

export interface SignedHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/**
 * Headers of one attempt. The timestamp (seconds) is the attempt's, the id stays the same over all attempts; while a secret
 * is being rotated the old one signs too, so that receivers can change over at leisure.
 */
export function signatureHeaders(
  id: string,
  timestampSeconds: number,
  body: string,
  keys: readonly Uint8Array[],
  hmac: Hmac,
): SignedHeaders {
  if (id.includes('.')) throw new TypeError('A webhook id may not hold a dot: it separates the signed parts.');
  const content = `${id}.${timestampSeconds}.${body}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': keys.map((key) => `v1,${hmac(key, content)}`).join(' '),
  };
}
