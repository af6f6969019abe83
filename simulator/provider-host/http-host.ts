import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers one request; never rejects. `closing` aborts when the server closes. */
export type Answer = (req: IncomingMessage, res: ServerResponse, closing: AbortSignal) => Promise<void>;

export interface HttpHost {
  url: string;
  port: number;
  /** Closes every connection and frees the port. */
  close(): Promise<void>;
}

/**
 * Listens on the loopback interface, so that nothing leaves the machine.
 * @param port 0: a free one
 */
export async function startHttpHost(answer: Answer, port = 0, host = '127.0.0.1'): Promise<HttpHost> {
  const closing = new AbortController();
  const server = createServer((req, res) => {
    void answer(req, res, closing.signal);
  });
  server.keepAliveTimeout = 65_000; // longer than clients keep idle connections, so that a client never writes to one that the server just closed
  const taken = await listen(server, port, host);
  return { url: `http://127.0.0.1:${taken}`, port: taken, close: () => close(server, closing) };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server, closing: AbortController): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    closing.abort();
    server.closeAllConnections();
  });
}
