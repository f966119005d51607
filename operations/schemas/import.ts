/**
 * Import of a document into an app: all definitions are one version, or none; sample rows follow in one transaction. Importing
 * the same document again changes nothing.
 */
import type { Change } from '../../core/change/change.ts';
import { AppError } from '../../core/errors.ts';
import { SECTIONS, type SchemaDocument } from '../../core/model/document.ts';
import { mergeDocument, type MergeMode, type MergeReportItem } from '../../core/model/merge.ts';
import { readDocument } from '../../core/model/read-document.ts';
import type { Finding } from '../../core/model/review.ts';
import { systemActor, type AppContext } from '../context.ts';
import { importRows, type RowsReport } from './import-rows.ts';
import { getMigration } from './migrations.ts';
import { publishChange, type PublishOptions } from './publish.ts';

export interface ImportOptions extends PublishOptions {
  /** `skip` (default) keeps what exists; `merge` and `replace` bring it to the incoming form. */
  readonly mode?: MergeMode;
  /** `none`: sample rows start nothing. */
  readonly events?: 'all' | 'none';
}

export interface ImportReport {
  readonly message: string;
  /** What is new, per section; `records` counts sample rows. */
  readonly summary: Readonly<Record<string, number>>;
  readonly imported: number;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly items: readonly MergeReportItem[];
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly schema_version: number;
}

const NO_ROWS: RowsReport = { created: 0, skipped: 0, errors: [] };
const MIGRATION_MS = 60_000;

export async function importDocument(ctx: AppContext, input: unknown, options: ImportOptions = {}): Promise<ImportReport> {
  const incoming = readDocument(unwrapped(input));
  let items: readonly MergeReportItem[] = [];
  const published = await publishChange(
    ctx,
    (current) => {
      const merged = mergeDocument(current, incoming, options.mode ?? 'skip');
      items = merged.report;
      return merged.document;
    },
    options,
  );
  if (published.isPending && published.migration !== null) await untilServed(ctx, published.migration.id);
  const rows = await rowsOf(ctx, incoming, options);
  const count = (section: string): number => items.filter((item) => item.section === section && item.outcome === 'created').length;
  const summary = { ...Object.fromEntries(SECTIONS.map((section) => [section, count(section)])), records: rows.created };
  const imported = Object.values(summary).reduce((sum, one) => sum + one, 0);
  return {
    message: messageOf(imported, rows, published.changes.length),
    summary,
    imported,
    errors: rows.errors,
    items,
    changes: published.changes,
    findings: published.findings,
    schema_version: published.version,
  };
}

/** An export's answer pasted as it came. */
function unwrapped(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || 'version' in input || !('data' in input)) return input;
  return input.data;
}

function messageOf(imported: number, rows: RowsReport, changes: number): string {
  if (rows.errors.length > 0)
    return `The definitions are imported; no sample row is, because ${rows.errors.length} of them cannot be stored.`;
  if (imported === 0 && changes === 0) return 'Everything in this document was there already.';
  return `Imported ${imported} item${imported === 1 ? '' : 's'}${rows.skipped === 0 ? '' : `; ${rows.skipped} sample rows were there already`}.`;
}

async function rowsOf(ctx: AppContext, incoming: SchemaDocument, options: ImportOptions): Promise<RowsReport> {
  if (incoming.sample_data === undefined) return NO_ROWS;
  const app = await ctx.services.registry.byId(ctx.app.id);
  if (app === undefined) throw new AppError('APP_NOT_FOUND', `There is no app "${ctx.app.name}".`);
  return importRows({ ...ctx, app, actor: systemActor('import') }, incoming.sample_data, options.events ?? 'all');
}

/** Rows need the tables: an import waits longer than a publish does. */
async function untilServed(ctx: AppContext, migration: string): Promise<void> {
  const deadline = Date.now() + MIGRATION_MS;
  for (;;) {
    const { status, error } = await getMigration(ctx, migration);
    if (status === 'ready' || status === 'completed') return ctx.services.registry.refresh();
    if (status === 'failed' || status === 'aborted') throw new AppError('CONFLICT', error ?? 'The migration was aborted.');
    if (Date.now() > deadline) {
      throw new AppError('UNAVAILABLE', 'The migration of this import still runs; its sample rows are not written yet.', {
        hint: 'Import the same document again when it has finished: what is there is skipped.',
        retryAfter: 30,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
