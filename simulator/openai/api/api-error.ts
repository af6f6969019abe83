/** An error that the simulated provider answers with. https://platform.openai.com/docs/guides/error-codes */
export class ChatApiError extends Error {
  override name = 'ChatApiError';
  constructor(
    readonly status: number,
    readonly type: string,
    message: string,
    readonly details: {
      param?: string | null;
      code?: string | null;
      headers?: Record<string, string>;
      /** Mistral sends the error without a wrapper: https://github.com/nearai/ironclaw/issues/1241 */
      isFlat?: boolean;
    } = {},
  ) {
    super(message);
  }

  toBody(): object {
    const { param = null, code = null, isFlat = false } = this.details;
    const error = { message: this.message, type: this.type, param, code };
    return isFlat ? { object: 'error', ...error } : { error };
  }
}

export function invalidRequest(message: string, param: string | null = null, code: string | null = null): ChatApiError {
  return new ChatApiError(400, 'invalid_request_error', message, { param, code });
}

/** Mistral's words for what breaks its schema. https://github.com/editor-code-assistant/eca/issues/231 */
export function unprocessable(detail: { type: string; loc: (string | number)[]; msg: string }): ChatApiError {
  return new ChatApiError(422, 'invalid_request_error', JSON.stringify({ detail: [detail] }), { isFlat: true });
}
