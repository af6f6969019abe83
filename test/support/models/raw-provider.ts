import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Answers one request, byte by byte if it wants. */
export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A web server that is a provider as far as a test writes one. */
export interface RawProvider {
  url: string;
  requests: { headers: IncomingMessage['headers']; body: Record<string, unknown> }[];
  /** Resolves when the first request has been read and handled. */
  read: Promise<void>;
  close(): Promise<void>;
}

/** It ends with the test. */
export async function startRawProvider(handle: Handler): Promise<RawProvider> {
  let sawFirst: () => void = () => {};
  const read = new Promise<void>((resolve) => {
    sawFirst = resolve;
  });
  const requests: RawProvider['requests'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString() || '{}'; // Claude Code also asks whether the address is there, without a body
      requests.push({ headers: request.headers, body: JSON.parse(body) });
      handle(request, response, body);
      sawFirst();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, read, close };
}
