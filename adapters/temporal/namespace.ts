import { Connection } from '@temporalio/client';
import { SearchAttributeType } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../workflows/contracts/search-attributes.ts';
import type { Config } from '../config.ts';
import { RECONNECTING, serverOptions } from './connection-options.ts';
import { grpcCode } from './errors.ts';

/** Values of `temporal.api.enums.v1.IndexedValueType`. */
const INDEXED_VALUE_TYPE: Readonly<Partial<Record<SearchAttributeType, number>>> = {
  [SearchAttributeType.TEXT]: 1,
  [SearchAttributeType.KEYWORD]: 2,
  [SearchAttributeType.INT]: 3,
  [SearchAttributeType.DOUBLE]: 4,
  [SearchAttributeType.BOOL]: 5,
  [SearchAttributeType.DATETIME]: 6,
  [SearchAttributeType.KEYWORD_LIST]: 7,
};
const RETENTION_SECONDS = 30 * 86_400;
const GRPC_NOT_FOUND = 5;
const GRPC_ALREADY_EXISTS = 6;
const GRPC_PERMISSION_DENIED = 7;
const GRPC_UNIMPLEMENTED = 12;

/**
 * Brings the namespace to what our workflows need: it exists, keeps closed workflows 30 days (with the server's default of
 * one day every link would be dead next day) and knows our search attributes. Safe to repeat; every worker runs it at start.
 */
export async function ensureNamespaceReady(config: Config): Promise<void> {
  const connection = await Connection.connect({ ...serverOptions(config), connectTimeout: 3_000, channelArgs: RECONNECTING });
  try {
    await connection.withDeadline(Date.now() + 20_000, async () => {
      await ensureRetention(connection, config.temporal.namespace);
      await ensureSearchAttributes(connection, config.temporal.namespace);
    });
  } finally {
    await connection.close();
  }
}

async function ensureRetention(connection: Connection, namespace: string): Promise<void> {
  const retention = { seconds: RETENTION_SECONDS as unknown as Long };
  try {
    const found = await connection.workflowService.describeNamespace({ namespace });
    if (Number(found.config?.workflowExecutionRetentionTtl?.seconds ?? 0) >= RETENTION_SECONDS) return;
    await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: retention } });
  } catch (error) {
    if (grpcCode(error) === GRPC_NOT_FOUND) {
      await ignoring([GRPC_ALREADY_EXISTS], () =>
        connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention }),
      );
      return;
    }
    // A managed cluster does not let its users change the namespace; its administrators decide the retention there.
    if (grpcCode(error) !== GRPC_PERMISSION_DENIED && grpcCode(error) !== GRPC_UNIMPLEMENTED) throw error;
  }
}

async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const known = await knownAttributes(connection, namespace);
  const missing = SEARCH_ATTRIBUTES.filter((attribute) => !known.has(attribute.name));
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(missing.map((attribute) => [attribute.name, INDEXED_VALUE_TYPE[attribute.type] ?? 2]));
  await ignoring([GRPC_ALREADY_EXISTS, GRPC_UNIMPLEMENTED], () =>
    connection.operatorService.addSearchAttributes({ namespace, searchAttributes }),
  );
}

/** The names it knows; none where the server cannot list them (managed clusters, the time-skipping test server). */
async function knownAttributes(connection: Connection, namespace: string): Promise<ReadonlySet<string>> {
  try {
    const { customAttributes } = await onceKnown(() => connection.operatorService.listSearchAttributes({ namespace }));
    return new Set(Object.keys(customAttributes ?? {}));
  } catch (error) {
    if (grpcCode(error) !== GRPC_UNIMPLEMENTED) throw error;
    return new Set();
  }
}

/** The server's other parts hear of a new namespace a second or two later. The deadline of the call ends this. */
async function onceKnown<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (grpcCode(error) !== GRPC_NOT_FOUND || attempt === 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

async function ignoring(codes: readonly number[], call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!codes.includes(grpcCode(error) ?? -1)) throw error;
  }
}

type Long = import('long').default;
