/** The lock by which the batches of an import follow each other. */
import type { Db } from '../../adapters/postgres/run.ts';
import type { AppRuntime } from '../context.ts';
import { noSuchImport, readImport, type ImportRow } from './import-row.ts';

/** Somebody else has done it, or stopped it: nothing is wrong, and nothing is to be done. */
export class NotOurs extends Error {
  override readonly name = 'NotOurs';
}

/** The import as it is, locked until the transaction ends. Throws NotOurs where it is not as it was read. */
export async function claim(client: Db, app: AppRuntime, { id: importId, round, done, state }: ImportRow): Promise<ImportRow> {
  const row = await readImport(client, app, importId, 'update');
  if (row === undefined) throw noSuchImport(importId);
  if (row.round !== round || row.done !== done || row.state !== state) throw new NotOurs('the import has gone on');
  return row;
}
