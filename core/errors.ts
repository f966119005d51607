/**
 * The table of error codes: the one place that decides the HTTP status of a failure.
 * `docs/errors.md` lists the same set; a test keeps table, document and Temporal's non-retryable types equal.
 */
export const ERROR_STATUS = {
  INVALID_PAYLOAD: 400,
  UNKNOWN_FIELD: 400,
  UNKNOWN_OPERATOR: 400,
  UNKNOWN_PARAMETER: 400,
  INVALID_VALUE: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  UNKNOWN_ENTITY: 404,
  NOT_FOUND: 404,
  APP_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  CONFLICT: 409,
  UNSAFE_CHANGE: 409,
  SHARED_SCHEMA: 409,
  PRECONDITION_FAILED: 412,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA: 415,
  VALIDATION_FAILED: 422,
  NESTED_WRITE_FAILED: 422,
  INVALID_STATE: 422,
  WEBHOOK_REJECTED: 422,
  IDEMPOTENCY_MISMATCH: 422,
  UNSUPPORTED: 422,
  RATE_LIMITED: 429,
  HEADERS_TOO_LARGE: 431,
  INTERNAL_ERROR: 500,
  WEBHOOK_UNAVAILABLE: 502,
  UNAVAILABLE: 503,
  MAINTENANCE: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** One mistake of a request. `path` is a dotted path into the body for nested values. */
export interface ErrorDetail {
  readonly field?: string;
  readonly rule?: string;
  readonly message: string;
  readonly path?: string;
  readonly [extra: string]: unknown;
}

export interface AppErrorOptions {
  readonly details?: readonly ErrorDetail[];
  /** What the caller can do about it. */
  readonly hint?: string;
  /** Seconds for a Retry-After header. */
  readonly retryAfter?: number;
  /** Methods for an Allow header. */
  readonly allow?: readonly string[];
  readonly cause?: unknown;
}

/** A failure with a stable code. The message never holds SQL, a stack or the name of something hidden from the caller. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: readonly ErrorDetail[];
  readonly hint: string | undefined;
  readonly retryAfter: number | undefined;
  readonly allow: readonly string[] | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.status = ERROR_STATUS[code];
    this.details = options.details ?? [];
    this.hint = options.hint;
    this.retryAfter = options.retryAfter;
    this.allow = options.allow;
  }
}

/** True for an AppError, optionally of one code. Safe across realms: matches on shape, not on the class. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof Error && error.name === 'AppError' && (code === undefined || (error as AppError).code === code);
}

/** The up to five known names nearest to a mistyped one, for "did you mean" hints. */
export function nearestNames(wanted: string, known: Iterable<string>): string[] {
  return [...known]
    .map((name) => ({ name, distance: editDistance(wanted.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map((candidate) => candidate.name);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + cost));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
