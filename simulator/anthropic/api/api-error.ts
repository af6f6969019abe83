/** An error that the simulated provider answers with, in the shape of the real one (SDK `resources/shared.d.ts`). */
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

/** A 400 in the provider's form: location, then problem. */
export function invalidRequest(message: string): ApiError {
  return new ApiError(400, 'invalid_request_error', message);
}
