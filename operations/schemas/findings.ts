import { reviewDocument, type Finding } from '../../core/model/review.ts';
import type { AppContext } from '../context.ts';

const FINDINGS = {};

/** What the served document accepts and cannot work yet, each with a stable id, a place and a way out. */
export const listFindings = (ctx: AppContext): readonly Finding[] =>
  ctx.app.memo(FINDINGS, (app) => reviewDocument(app.model.document).findings);
