/** A lazy connection to Temporal. Nothing of the data path touches it; what needs it now fails with a clear UNAVAILABLE. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { AppError, isAppError } from '../../core/errors.ts';
import type { Config } from '../config.ts';
import { RECONNECTING, serverOptions } from './connection-options.ts';
import { dataConverter } from './data-converter.ts';
import { temporalLink } from './ui.ts';

export interface TemporalGateway {
  /** The client, connected within the deadline, or UNAVAILABLE (503). */
  client(): Promise<Client>;
  /** True when the last health check within five seconds answered. */
  isReachable(): Promise<boolean>;
  /** Link to a workflow in the Web UI, or null when no UI is known. */
  linkTo(workflowId: string): string | null;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 3_000;
const CHECK_TIMEOUT_MS = 2_000;
/** A check that succeeded is believed this long; one that failed is repeated sooner, so that a server that came back is seen. */
const TRUST_MS = 5_000;
const DISTRUST_MS = 500;

/** The one sentence of every refusal for want of Temporal. */
export const temporalUnavailable = (cause?: unknown): AppError =>
  new AppError('UNAVAILABLE', 'The workflow engine (Temporal) does not answer, so this cannot be done now. Nothing was changed.', {
    hint: 'Records can still be read and written. Repeat this request; repeating is safe.',
    retryAfter: 5,
    cause,
  });

/** A gateway that connects on first use and never throws when made. */
export function createTemporalGateway(config: Config, log: Logger): TemporalGateway {
  const gateway = new LazyGateway(config, log);
  return {
    client: () => gateway.client(),
    isReachable: () => gateway.isReachable(),
    linkTo: (workflowId) => temporalLink(config, workflowId),
    close: () => gateway.close(),
  };
}

class LazyGateway {
  readonly #config: Config;
  readonly #log: Logger;
  #client: Client | undefined;
  #checking: Promise<boolean> | undefined;
  #checkedAt = -Infinity;
  #wasReachable = false;
  #isClosed = false;

  constructor(config: Config, log: Logger) {
    this.#config = config;
    this.#log = log;
  }

  async client(): Promise<Client> {
    if (!(await this.isReachable()) || this.#client === undefined) throw temporalUnavailable();
    return this.#client;
  }

  async isReachable(): Promise<boolean> {
    if (this.#isClosed) return false;
    const age = performance.now() - this.#checkedAt;
    if (age < (this.#wasReachable ? TRUST_MS : DISTRUST_MS)) return this.#wasReachable;
    this.#checking ??= this.#check().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  async #check(): Promise<boolean> {
    let isReachable = false;
    try {
      await this.#probe();
      isReachable = true;
    } catch (error) {
      if (this.#wasReachable) this.#log.warn({ reason: reasonOf(error) }, 'Temporal does not answer');
    }
    if (isReachable && !this.#wasReachable) this.#log.debug('Temporal answers');
    this.#wasReachable = isReachable;
    this.#checkedAt = performance.now();
    return isReachable;
  }

  async #probe(): Promise<void> {
    if (this.#client === undefined) {
      // Loaded when it is first needed: it takes longer than the rest of an api process.
      const { Client, Connection } = await import('@temporalio/client');
      const connection = await Connection.connect({
        ...serverOptions(this.#config),
        connectTimeout: CONNECT_TIMEOUT_MS,
        channelArgs: RECONNECTING,
      });
      if (this.#isClosed) return connection.close();
      this.#client = new Client({ connection, namespace: this.#config.temporal.namespace, dataConverter });
      return;
    }
    const { connection } = this.#client;
    await connection.withDeadline(Date.now() + CHECK_TIMEOUT_MS, () => connection.workflowService.getSystemInfo({}));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#checking?.catch(() => false);
    await this.#client?.connection.close();
    this.#client = undefined;
  }
}

const reasonOf = (error: unknown): string => (isAppError(error) || error instanceof Error ? error.message : String(error));
