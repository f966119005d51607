import { reviewDocument, type Finding } from '../../core/model/review.ts';
import type { AppContext } from '../context.ts';
import { functionTestFindings } from '../functions/try.ts';

const FINDINGS = {};

/** What the served document accepts and cannot work yet, and tests of its functions that fail, each with a stable id, a place and a way out. */
export const listFindings = async (ctx: AppContext): Promise<readonly Finding[]> => [
  ...ctx.app.memo(FINDINGS, (app) => reviewDocument(app.model.document).findings),
  ...(await functionTestFindings(ctx, ctx.app.model.document)),
];
