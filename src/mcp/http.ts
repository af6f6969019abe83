import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Client } from '../clients/types.ts';
import type { Config } from '../config/environment.ts';
import type { Logger } from '../process/logger.ts';
import { createClientFleets } from './client-fleets.ts';
import { createMcpServer } from './server.ts';

/** Requests under way: of one client, and of all. */
const MOST_OF_CLIENT = 100;
const MOST = 400;

/** The MCP server for clients over HTTP. It keeps no session: each request is answered by itself, by any process. */
export interface McpHttp {
  /**
   * Answers one POST with a stream of its own, which carries progress.
   * @returns false: too many requests are under way; nothing was sent
   */
  handle(request: IncomingMessage, response: ServerResponse, client: Client, body: unknown): Promise<boolean>;
  /** Closes the connections of all clients. */
  close(): Promise<void>;
}

export function createMcpHttp({ config, log }: { config: Config; log: Logger }): McpHttp {
  const fleets = createClientFleets(config, { log });
  const open = new Map<string, number>();

  async function answer(request: IncomingMessage, response: ServerResponse, { name, role }: Client, body: unknown) {
    await fleets.use(name, async (fleet) => {
      if (response.closed) return; // the client went away while the fleet was opened
      const server = createMcpServer({ role, open: async () => ({ fleet, role, client: name }), log });
      const transport = new StreamableHTTPServerTransport(); // without a generator of ids: no session
      const ended = new Promise<void>((resolve) => response.once('close', resolve));
      try {
        await server.connect(transport);
        await transport.handleRequest(request, response, body);
        await ended; // also when the client goes away: its calls end
      } finally {
        await server.close();
      }
    });
  }

  return {
    async handle(request, response, client, body) {
      const own = open.get(client.name) ?? 0;
      const all = [...open.values()].reduce((sum, count) => sum + count, 0);
      if (own >= MOST_OF_CLIENT || all >= MOST) return false;
      open.set(client.name, own + 1);
      try {
        await answer(request, response, client, body);
      } finally {
        const left = (open.get(client.name) ?? 1) - 1;
        if (left === 0) open.delete(client.name);
        else open.set(client.name, left);
      }
      return true;
    },
    close: () => fleets.close(),
  };
}
