/** Keys and secrets: sealing at rest, signing and verifying tokens, hashing passwords. */
export interface Keyring {
  /** AES-256-GCM under SECRET_KEY; `purpose` is bound as associated data. */
  seal(plain: Uint8Array, purpose: string): Buffer;
  open(sealed: Uint8Array, purpose: string): Buffer;
}
