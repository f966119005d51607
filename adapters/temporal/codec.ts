import type { Payload, PayloadCodec } from '@temporalio/common';

/** Metadata of every payload we write: which key sealed it. `plain` means none, so the Web UI shows it as it is. */
export const KEY_ID_METADATA = 'durabase-key-id';
const PLAIN = 'plain';

const text = new TextEncoder();
const bytes = new TextDecoder();

/**
 * Leaves data as it is and writes the key id beside it. Histories written today say `plain`, so the day payloads are sealed,
 * both kinds can be told apart and running workflows go on.
 */
export class KeyedCodec implements PayloadCodec {
  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(
      payloads.map((payload) => ({ ...payload, metadata: { ...payload.metadata, [KEY_ID_METADATA]: text.encode(PLAIN) } })),
    );
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map(decodeOne));
  }
}

function decodeOne(payload: Payload): Payload {
  const { [KEY_ID_METADATA]: keyId, ...metadata } = payload.metadata ?? {};
  if (keyId !== undefined && keyId !== null) {
    const name = bytes.decode(keyId);
    if (name !== PLAIN) throw new TypeError(`A Temporal payload was sealed with the key "${name}", which this process does not have.`);
  }
  return { ...payload, metadata };
}
