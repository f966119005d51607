import { Connection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { temporalAddress } from '../support/temporal.ts';

it('gives every file the same Temporal server, with our search attributes and 30 days of retention', async () => {
  const address = await temporalAddress();
  expect(await temporalAddress()).toBe(address);
  const connection = await Connection.connect({ address });
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
  expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(['AppId', 'State', 'Entity', 'RecordId', 'DueAt']));
  await connection.close();
});
