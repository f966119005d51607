/** Codes by time (RFC 6238) in the form every authenticator app takes. The library is loaded when somebody has a second factor. */
const FORM = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
/** Clocks may be this many steps apart. */
const WINDOW = 1;

export interface NewTotp {
  readonly bytes: Uint8Array;
  /** Base32, to type in by hand. */
  readonly secret: string;
  /** The same for a QR code. */
  readonly uri: string;
}

/** A fresh secret for an account of this name. */
export async function newTotp(issuer: string, label: string): Promise<NewTotp> {
  const { Secret, TOTP } = await import('otpauth');
  const secret = new Secret({ size: 20 });
  return { bytes: secret.bytes, secret: secret.base32, uri: new TOTP({ ...FORM, issuer, label, secret }).toString() };
}

/** The step of time the code belongs to; undefined when it is not of now, nor of the step before or after. */
export async function totpStep(secret: Uint8Array, code: string, now: Date): Promise<number | undefined> {
  const { Secret, TOTP } = await import('otpauth');
  const timestamp = now.getTime();
  const apart = TOTP.validate({
    ...FORM,
    secret: new Secret({ buffer: Uint8Array.from(secret).buffer }),
    token: code,
    timestamp,
    window: WINDOW,
  });
  return apart === null ? undefined : Math.floor(timestamp / 1_000 / FORM.period) + apart;
}
