import fs from 'node:fs';
import { AppError } from '../../core/errors.ts';
import type { Config } from '../config.ts';

/** What a client and a worker both need to reach the server. */
export interface ServerOptions {
  readonly address: string;
  readonly apiKey?: string;
  readonly tls?: { serverRootCACertificate?: Buffer; clientCertPair?: { crt: Buffer; key: Buffer } } | true;
}

/**
 * How a client reaches for a server that is away. By default its pauses double up to two minutes, and for as long after the return
 * nothing could be started or decided.
 */
export const RECONNECTING = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 } as const;

/** Address, key and certificates of `config`; the certificates are read at each connection, so a renewed file is used. */
export function serverOptions(config: Config): ServerOptions {
  const { address, apiKey, tls } = config.temporal;
  if (address === undefined) {
    throw new AppError('UNAVAILABLE', 'TEMPORAL_ADDRESS is not set, so nothing durable can run.', {
      hint: 'Set TEMPORAL_ADDRESS, or use `npm start`, which brings a local server.',
    });
  }
  const clientCertPair =
    tls.cert !== undefined && tls.key !== undefined ? { crt: fs.readFileSync(tls.cert), key: fs.readFileSync(tls.key) } : undefined;
  const isTls = tls.ca !== undefined || clientCertPair !== undefined || apiKey !== undefined;
  return {
    address,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(isTls
      ? {
          tls:
            tls.ca === undefined && clientCertPair === undefined
              ? (true as const)
              : {
                  ...(tls.ca === undefined ? {} : { serverRootCACertificate: fs.readFileSync(tls.ca) }),
                  ...(clientCertPair === undefined ? {} : { clientCertPair }),
                },
        }
      : {}),
  };
}
