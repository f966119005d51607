import { AppError } from '../../core/errors.ts';
import type { Call } from '../http/call.ts';

/** The refusal of a path or method that nothing answers. */
export const noSuchRoute = (call: Call): AppError =>
  new AppError('NOT_FOUND', `There is no ${call.request.method ?? 'GET'} /api/${call.path.join('/').slice(0, 200)}.`, {
    hint: 'docs/api.md lists the routes.',
  });
