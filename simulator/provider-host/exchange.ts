import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleepFor } from 'node:timers/promises';
import type { LoggedRequest } from './request-log.ts';

/** A request body above the provider's limit. Each provider answers it in its own words. */
export class BodyTooLargeError extends Error {
  override name = 'BodyTooLargeError';
}

/** One request and its answer. */
export interface Exchange<Logged extends LoggedRequest = LoggedRequest> {
  req: IncomingMessage;
  res: ServerResponse;
  record: Logged;
  /** Aborts when the client closes the connection or the simulator closes. */
  gone: AbortSignal;
  /** Sent with every answer. */
  headers: Record<string, string>;
}

/** @throws BodyTooLargeError above `maxBytes` */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk); // the rest is read and dropped, so that the client gets the answer
  }
  if (size > maxBytes) throw new BodyTooLargeError(`request body: at most ${maxBytes} bytes, got ${size}`);
  return Buffer.concat(chunks);
}

/** Resolves after `ms`, or at once when the client is gone. */
export async function wait(ms: number, gone: AbortSignal): Promise<void> {
  if (ms <= 0 || gone.aborted) return;
  await sleepFor(ms, undefined, { signal: gone }).catch((thrown: unknown) => {
    if (!gone.aborted) throw thrown;
  });
}

/** Resolves when the client is gone, for a fault that never answers. */
export function untilGone(gone: AbortSignal): Promise<void> {
  if (gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    gone.addEventListener('abort', () => resolve(), { once: true });
  });
}

export function sendJson(exchange: Exchange, status: number, body: object, headers: Record<string, string> = {}): void {
  send(exchange, status, 'application/json', JSON.stringify(body), headers);
}

/** Sends a whole answer. */
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
