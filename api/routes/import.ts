import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../operations/context.ts';
import type { Answer } from '../http/answer.ts';
import type { Call } from '../http/call.ts';

/** `POST /api/:app/_admin/import`. */
export async function importRoute(_ctx: AppContext, _call: Call): Promise<Answer> {
  throw new AppError('UNSUPPORTED', 'Importing is not available in this build.');
}
