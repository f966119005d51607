/** Taking an uploaded file: it is stored row by row while it arrives, and its check or run is queued before anything is answered. */
import { createHash } from 'node:crypto';
import { uuidv7 } from '../../adapters/ids.ts';
import { crashPoint } from '../../adapters/crash-points.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { entityOf, type EntityModel } from '../../core/model/model.ts';
import type { ImportPayload } from '../../core/payloads/imports.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { FileReader, type Chunk, type ImportFormat } from './file-reader.ts';
import { importActor } from './import-actor.ts';
import { importOptions, wholeMapping } from './import-plan.ts';
import { ACTIVE, importsOf, importView, noSuchImport, ownerOf, readImport, type ImportOptions } from './import-row.ts';
import { beginTask } from './task.ts';
import type { Mapping } from '../../core/import/mapping.ts';

export interface Upload {
  readonly format: ImportFormat;
  readonly options: ImportPayload;
  /** The bytes, unpacked. */
  readonly file: AsyncIterable<Buffer>;
}

/** Imports of one app that are under way or being sent. */
const MAX_OPEN = 20;

/** An import that was admitted, and the app as it was then. */
export interface Receiving {
  readonly ctx: AppContext;
  readonly entity: EntityModel;
  readonly options: ImportOptions;
}

/** What can be refused before the file is read. */
export async function admitImport(ctx: AppContext, entityName: string, given: ImportPayload): Promise<Receiving> {
  const entity = entityOf(ctx.app.model, entityName);
  const options = importOptions(ctx, entity, given);
  const [open] = await run<{ count: number }>(
    ctx.services.pool,
    sql`select count(*)::integer as count from ${importsOf(ctx.app)}
        where state = any(${value([...ACTIVE, 'uploading'], 'text[]')}) and updated_at > now() - interval '1 hour'`,
  );
  if ((open?.count ?? 0) >= MAX_OPEN) {
    throw new AppError('RATE_LIMITED', `${String(MAX_OPEN)} imports of this app are under way.`, {
      hint: 'Wait until one has ended, or cancel one.',
      retryAfter: 10,
    });
  }
  return { ctx, entity, options };
}

/** Stores the file; answers the import, whose check or run is on its way. Nothing of it stays when it is refused. */
export async function receiveImport(receiving: Receiving, upload: Upload): Promise<Readonly<Record<string, unknown>>> {
  const { ctx } = receiving;
  const importId = uuidv7();
  await openRow(importId, receiving, upload);
  try {
    const stored = await storeFile(importId, receiving, upload);
    await queue(importId, receiving, upload, stored);
  } catch (error) {
    await execute(ctx.services.pool, sql`delete from ${importsOf(ctx.app)} where id = ${value(importId, 'uuid')}`);
    throw error;
  }
  crashPoint('import.stored');
  const row = await readImport(ctx.services.pool, ctx.app, importId);
  if (row === undefined) throw noSuchImport(importId);
  return importView(ctx.services, ctx.app, row);
}

const openRow = (importId: string, { ctx, entity, options }: Receiving, upload: Upload): Promise<number> =>
  execute(
    ctx.services.pool,
    sql`insert into ${importsOf(ctx.app)} (id, entity_id, entity, schema_version, format, file_name, options, owner, actor, state)
        values (${value(importId, 'uuid')}, ${value(entity.id)}, ${value(entity.name)}, ${value(ctx.app.version, 'integer')},
          ${value(upload.format)}, ${value(upload.options.file_name ?? null)}, ${value(JSON.stringify(options), 'jsonb')},
          ${value(ownerOf(ctx.actor))}, ${value(JSON.stringify(importActor(ctx.actor)), 'jsonb')}, 'uploading')`,
  );

interface Stored {
  readonly reader: FileReader;
  readonly bytes: number;
  readonly checksum: string;
  readonly mapping: Mapping;
}

async function storeFile(importId: string, receiving: Receiving, upload: Upload): Promise<Stored> {
  const { ctx, entity, options } = receiving;
  const { encoding, delimiter, header, mapping: given } = upload.options;
  const { maxBytes, maxRows } = ctx.services.config.imports;
  const reader = new FileReader({ format: upload.format, encoding, delimiter, header, maxRows });
  const hash = createHash('sha256');
  let bytes = 0;
  let mapping: Mapping | undefined;
  const store = async (chunks: readonly Chunk[]): Promise<void> => {
    // A mapping that cannot be is told before the rest of the file has come.
    if (mapping === undefined && reader.columns !== undefined) mapping = wholeMapping(ctx, entity, options, reader.columns, given);
    for (const chunk of chunks) await storeChunk(ctx, importId, chunk);
  };
  for await (const piece of upload.file) {
    bytes += piece.length;
    if (bytes > maxBytes) {
      throw new AppError('TOO_LARGE', `A file may have at most ${String(maxBytes)} bytes.`, {
        hint: 'Import it in several files, or raise IMPORT_MAX_MB.',
      });
    }
    hash.update(piece);
    await store(reader.push(piece));
  }
  await store(reader.end());
  return { reader, bytes, checksum: hash.digest('hex'), mapping: mapping ?? {} };
}

const storeChunk = (ctx: AppContext, importId: string, { firstRow, rows, body }: Chunk): Promise<number> =>
  execute(
    ctx.services.pool,
    sql`insert into ${id(ctx.app.storage, '_import_chunks')} (import_id, first_row, rows, body)
        values (${value(importId, 'uuid')}, ${value(firstRow, 'integer')}, ${value(rows, 'integer')}, ${value(body)})`,
    { prepared: true },
  );

/** The file is whole: from here on it is an import, and its workflow will start. */
async function queue(importId: string, { ctx, entity, options }: Receiving, upload: Upload, stored: Stored): Promise<void> {
  const { reader, bytes, checksum, mapping } = stored;
  const source = { ...reader.source, samples: reader.samples };
  await transaction(ctx.services.pool, async (client) => {
    await execute(
      client,
      sql`update ${importsOf(ctx.app)} set bytes = ${value(bytes, 'bigint')}, checksum = ${value(checksum)}, total = ${value(reader.rows, 'integer')},
            source = ${value(JSON.stringify(source), 'jsonb')}, columns = ${value(JSON.stringify(reader.columns), 'jsonb')},
            mapping = ${value(JSON.stringify(mapping), 'jsonb')}
          where id = ${value(importId, 'uuid')}`,
    );
    // All or nothing is decided by a check; where bad rows are skipped, writing them is the check.
    const task = options.run && options.on_error === 'skip' ? 'run' : 'check';
    await beginTask(client, ctx.app, { importId, entity: entity.name, task, total: reader.rows });
    await audit(client, ctx.actor, {
      app: ctx.app.id,
      action: 'records.import',
      target: importId,
      detail: {
        entity: entity.name,
        mode: options.mode,
        rows: reader.rows,
        file: upload.options.file_name ?? null,
        events: options.events,
      },
    });
  });
}
