import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleepFor } from 'node:timers/promises';

const MAX_BODY_BYTES = 32 * 1024 * 1024; // https://docs.claude.com/en/api/errors, request_too_large

/** A request body above the provider's limit. Each provider answers it in its own words. */
export class BodyTooLargeError extends Error {
  override name = 'BodyTooLargeError';
}

/** What every log entry has: the status that was sent, null while there is none. */
export interface Answered {
  status: number | null;
}

/** One request and its answer, watched for a client that hangs up. */
export interface Exchange<Logged extends Answered = Answered> {
  req: IncomingMessage;
  res: ServerResponse;
  record: Logged;
  /** Fires when the client hung up or the simulator closes. */
  gone: AbortSignal;
  /** Sent with whatever is answered. */
  headers: Record<string, string>;
}

/** @throws BodyTooLargeError */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk); // the rest is read and dropped, so that the client gets the answer
  }
  if (size > MAX_BODY_BYTES) throw new BodyTooLargeError(`the body has ${size} bytes`);
  return Buffer.concat(chunks);
}

/** Resolves after `ms`, or at once when the client is gone. */
export async function wait(ms: number, gone: AbortSignal): Promise<void> {
  if (ms <= 0 || gone.aborted) return;
  await sleepFor(ms, undefined, { signal: gone }).catch((thrown: unknown) => {
    if (!gone.aborted) throw thrown;
  });
}

/** Resolves when the client is gone; under a fault that never answers. */
export function untilGone(gone: AbortSignal): Promise<void> {
  if (gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    gone.addEventListener('abort', () => resolve(), { once: true });
  });
}

export function sendJson(exchange: Exchange, status: number, body: object, headers: Record<string, string> = {}): void {
  send(exchange, status, 'application/json', JSON.stringify(body), headers);
}

/** Sends an answer whole. */
export function send(
  { res, record, headers }: Exchange,
  status: number,
  type: string,
  body: string,
  extra: Record<string, string> = {},
): void {
  if (res.destroyed) return;
  record.status = status;
  const length = String(Buffer.byteLength(body));
  res.writeHead(status, { ...headers, ...extra, 'content-type': type, 'content-length': length }).end(body);
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
