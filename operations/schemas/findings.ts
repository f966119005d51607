import { reviewDocument, type Finding } from '../../core/model/review.ts';
import type { AppContext } from '../context.ts';
import { functionTestFindings } from '../functions/try.ts';

const FINDINGS = {};
const ALL = {};

/** What the served document accepts and cannot work yet, and tests of its functions that fail, each with a stable id, a place and a way out. */
export const listFindings = async (ctx: AppContext): Promise<readonly Finding[]> => [
  ...ctx.app.memo(FINDINGS, (app) => reviewDocument(app.model.document).findings),
  ...(await functionTestFindings(ctx, ctx.app.model.document)),
];

/** The same, made once per version in this process: for whoever only counts them. */
export const findingsKept = (ctx: AppContext): Promise<readonly Finding[]> => {
  const kept = ctx.app.memo(ALL, () => ({ findings: undefined as Promise<readonly Finding[]> | undefined }));
  kept.findings ??= listFindings(ctx).catch((error: unknown) => {
    kept.findings = undefined;
    throw error;
  });
  return kept.findings;
};
