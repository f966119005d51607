import { Connection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { temporalAddress } from '../support/temporal.ts';

it('gives every file the same Temporal server, which knows our search attributes', async () => {
  const address = await temporalAddress();
  expect(await temporalAddress()).toBe(address);
  const connection = await Connection.connect({ address });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
  expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(['AppId', 'State', 'Entity', 'RecordId', 'DueAt']));
  await connection.close();
});
