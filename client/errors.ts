/** The failures a client meets. */
export interface ApiErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly details?: readonly { readonly field?: string; readonly path?: string; readonly rule?: string; readonly message: string }[];
    readonly request_id?: string;
  };
}

/** A refusal of the API, or `NETWORK` when there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly body: ApiErrorBody | undefined;

  constructor(status: number, code: string, message: string, body?: ApiErrorBody) {
    super(message);
    this.status = status;
    this.code = code;
    this.body = body;
  }
}
