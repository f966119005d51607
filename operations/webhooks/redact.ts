/** Keeps secrets out of what is recorded of an attempt: receivers like to answer with what they were sent. */

const GONE = '[redacted]';
/** Shorter ones are everywhere in any text, and are no secrets. */
const SHORTEST = 4;
/** Answers are kept up to 64 KiB; the last character may have been cut too. */
const CUT_AT = 64 * 1024 - 4;
const SECRET_HEADER = /authorization|cookie|token|secret|key|password|credential/i;

/** Values of headers that are secret by their name, whether or not they were written as `{{secret.NAME}}`. */
export function secretsIn(headers: Readonly<Record<string, string>>): string[] {
  const values = Object.entries(headers).flatMap(([name, text]) => (SECRET_HEADER.test(name) ? [text] : []));
  // `Bearer x`, `Basic x`: the scheme is no secret, what follows is.
  return values.flatMap((text) => [text, ...text.split(/\s+/).slice(1)]);
}

/** Replaces each secret, as it stands and as JSON, a URL or base64 would write it. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(
    secrets
      .filter((secret) => secret.length >= SHORTEST)
      .flatMap((secret) => [
        secret,
        JSON.stringify(secret).slice(1, -1),
        encodeURIComponent(secret),
        Buffer.from(secret, 'utf8').toString('base64'),
      ]),
  );
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    const told = longestFirst.reduce((rest, secret) => rest.replaceAll(secret, GONE), text);
    return Buffer.byteLength(text) < CUT_AT ? told : withoutEnd(told, longestFirst);
  };
}

/** A cut answer may end in the middle of a secret. */
function withoutEnd(text: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    for (let length = secret.length - 1; length >= SHORTEST; length--) {
      if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length) + GONE;
    }
  }
  return text;
}
