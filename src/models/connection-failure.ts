/** Codes that name a connection which was never made: no byte of the request left. */
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
 * A request that certainly never reached the provider. The code is kept out of the message: the SDK takes any error whose
 * text holds "timeout" or "ETIMEDOUT" for a timeout, and drops it.
 */
export class NotSentError extends Error {
  override name = 'NotSentError';
  constructor(
    /** The system's, such as `ECONNREFUSED`. */
    readonly code: string,
  ) {
    super('no connection');
  }
}

/**
 * `fetch` that tells a connection never made from one that broke: whether a request was sent decides whether its cost is
 * uncertain.
 * @throws NotSentError where the connection was never made; else what `fetch` threw
 */
export async function fetchTellingSent(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(input, init);
  } catch (error) {
    const code = findNotSentCode(error);
    if (code !== undefined) throw new NotSentError(code);
    throw error;
  }
}

/** Looks down the cause chain: undici wraps the system's error once. */
function findNotSentCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') {
    const connecting = 'syscall' in error && error.syscall === 'connect';
    if (connecting || NOT_SENT_CODES.has(error.code)) return error.code;
  }
  return findNotSentCode(error.cause);
}
