/**
 * How far an HTTP request got: the cost of a failed call is uncertain only if its request was sent. The SDKs lose this in
 * different ways, so each has its own: one takes a `fetch` that throws `NotSentError`, the others only a trace (`request-trace.ts`).
 */

/** Codes of a connection that was never made: no byte of the request was sent. */
const NOT_SENT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * A request that certainly never reached the provider. The message does not contain the code: the SDK treats an error whose
 * message has "timeout" or "ETIMEDOUT" as a timeout, and drops it.
 */
export class NotSentError extends Error {
  override name = 'NotSentError';
  constructor(
    /** The system's error code, such as `ECONNREFUSED`. */
    readonly code: string,
  ) {
    super('no connection');
  }
}

/**
 * `fetch` with an error of its own for a connection that was never made.
 * @throws NotSentError where the connection was never made; else what `fetch` throws
 */
export async function fetchOrNotSent(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(input, init);
  } catch (error) {
    const code = findNotSentCode(error);
    if (code !== undefined) throw new NotSentError(code);
    throw error;
  }
}

/** Looks down the chain of causes: undici wraps the system's error once. */
function findNotSentCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') {
    const connecting = 'syscall' in error && error.syscall === 'connect';
    if (connecting || NOT_SENT_CODES.has(error.code)) return error.code;
  }
  return findNotSentCode(error.cause);
}
