/** An error the simulated provider answers with, in the wording and shape of the real one (SDK `resources/shared.d.ts`). */
export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly options: { headers?: Record<string, string>; errorCode?: string } = {},
  ) {
    super(message);
  }

  toBody(requestId: string): object {
    const { errorCode } = this.options;
    const details = errorCode === undefined ? {} : { details: { error_code: errorCode } };
    return { type: 'error', error: { type: this.type, message: this.message, ...details }, request_id: requestId };
  }
}

/** A 400 as the provider words it: where, then what. */
export function invalidRequest(message: string): ApiError {
  return new ApiError(400, 'invalid_request_error', message);
}

/** A 400 for what the real API does and this server does not; the text says which of the two it is. */
export function notSimulated(what: string): ApiError {
  return new ApiError(400, 'invalid_request_error', `${what}: the simulator does not do this (the real API may)`);
}
