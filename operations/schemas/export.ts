import { documentToYaml, exportDocument as written } from '../../core/model/export-document.ts';
import type { AppContext } from '../context.ts';

/** The served document as an importable object. */
export const exportDocument = (ctx: AppContext): Record<string, unknown> =>
  written(ctx.app.model.document, { exportedAt: ctx.now.toISOString() });

/** The same as YAML text. */
export const exportYaml = (ctx: AppContext): string => documentToYaml(ctx.app.model.document, { exportedAt: ctx.now.toISOString() });
