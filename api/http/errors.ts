/** From any failure to the error envelope. What is not one of ours becomes INTERNAL_ERROR and goes to the log, never to the caller. */
import type { Logger } from 'pino';
import { sqlState } from '../../adapters/postgres/run.ts';
import { AppError, isAppError, type ErrorDetail } from '../../core/errors.ts';
import { textAnswer, type Answer } from './answer.ts';

export function errorAnswer(thrown: unknown, requestId: string, log: Logger): Answer {
  const error = toAppError(thrown);
  if (error.status >= 500) {
    const level = error.code === 'INTERNAL_ERROR' ? 'error' : 'warn';
    log[level]({ err: error.cause ?? error, request_id: requestId, code: error.code }, error.message);
  }
  const { details } = error;
  const body = {
    error: {
      code: error.code,
      message: error.message,
      details,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      request_id: requestId,
    },
    ...(error.code === 'VALIDATION_FAILED' || error.code === 'NESTED_WRITE_FAILED' ? { errors: details.map(mirror) } : {}),
  };
  const headers: Record<string, string> = {};
  if (error.retryAfter !== undefined) headers['Retry-After'] = String(Math.max(1, Math.ceil(error.retryAfter)));
  if (error.allow !== undefined) headers['Allow'] = error.allow.join(', ');
  if (error.code === 'UNAUTHORIZED') headers['WWW-Authenticate'] = 'Bearer';
  return textAnswer(JSON.stringify(body), error.status, headers);
}

const mirror = (detail: ErrorDetail): Record<string, unknown> => ({
  field: detail.path ?? detail.field ?? null,
  code: detail.rule ?? 'invalid',
  message: detail.message,
});

/** The refusal a failure amounts to. */
export function toAppError(thrown: unknown): AppError {
  if (isAppError(thrown)) return thrown;
  const state = sqlState(thrown) ?? '';
  if (state === '57014') {
    return new AppError('UNAVAILABLE', 'The request took longer than a statement may (10 s) and was stopped.', {
      hint: 'Ask for fewer rows, or filter and sort by indexed fields.',
      retryAfter: 1,
      cause: thrown,
    });
  }
  // Parameters are read by their fields' types, which name the place; this is for all other text.
  if (state === '22021' || state === '22P05') {
    return new AppError('INVALID_VALUE', 'A text of the request contains the NUL character or half a surrogate pair.', { cause: thrown });
  }
  if (/^(08|53|57P|58)/.test(state) || isConnectionTrouble(thrown)) {
    return new AppError('UNAVAILABLE', 'The database does not answer right now.', {
      hint: 'Try again in a moment.',
      retryAfter: 1,
      cause: thrown,
    });
  }
  if (/^(40001|40P01|55P03)$/.test(state)) {
    return new AppError('UNAVAILABLE', 'The record was being changed by too many requests at once.', {
      hint: 'Try again.',
      retryAfter: 1,
      cause: thrown,
    });
  }
  return new AppError('INTERNAL_ERROR', 'Something went wrong on our side. The log has the details under this request id.', {
    cause: thrown,
  });
}

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

function isConnectionTrouble(thrown: unknown): boolean {
  if (thrown instanceof AggregateError) return thrown.errors.some(isConnectionTrouble);
  if (!(thrown instanceof Error)) return false;
  if (NETWORK.has((thrown as NodeJS.ErrnoException).code ?? '')) return true;
  // Texts of node-postgres, which gives these no code.
  return /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Cannot use a pool after calling end)/.test(
    thrown.message,
  );
}
