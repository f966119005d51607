import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { SECRET_PREFIX, signatureHeaders } from '../../../core/webhook/signature.ts';

const hmac = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text, 'utf8').digest('base64');
const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');

describe('webhook signatures', () => {
  it('equal the published vector of Standard Webhooks', () => {
    const headers = signatureHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}', [key], hmac);
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('are accepted by the published verifier, and refused once a byte of the body changed', () => {
    const body = '{"näme":"ü"}';
    const headers = signatureHeaders('msg_1', Math.floor(Date.now() / 1000), body, [key], hmac);
    const verifier = new Webhook(SECRET_PREFIX + key.toString('base64'));
    expect(verifier.verify(body, { ...headers })).toEqual({ näme: 'ü' });
    expect(() => verifier.verify('{"näme":"u"}', { ...headers })).toThrow();
  });

  it('carry the old and the new secret while one is rotated', () => {
    const next = Buffer.alloc(32, 7);
    const headers = signatureHeaders('msg_1', Math.floor(Date.now() / 1000), '{}', [next, key], hmac);
    for (const secret of [key, next]) expect(() => new Webhook(secret.toString('base64')).verify('{}', { ...headers })).not.toThrow();
  });

  it('refuse an id with a dot, which would move the boundary of the signed parts', () => {
    expect(() => signatureHeaders('a.b', 1, '{}', [key], hmac)).toThrow('dot');
  });
});
