import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { createMcpServer } from '../../../src/mcp/server.ts';
import type { McpSession } from '../../../src/mcp/tool/types.ts';
import { createLogger } from '../../../src/process/logger.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** The SDK's own client of an MCP server in this process; both are closed after the test. */
export async function openMcpClient(
  redis: TestRedis,
  fleet: OpenFleet,
  who: Partial<Omit<McpSession, 'fleet'>> = {},
): Promise<Client> {
  const session: McpSession = { fleet, role: 'operate', client: null, ...who };
  const log = createLogger('mcp', 'silent');
  const server = createMcpServer({ role: session.role, open: async () => session, log });
  const client = new Client({ name: 'test', version: '1' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  await client.connect(near);
  redis.cleanup(async () => {
    await client.close();
    await server.close();
  });
  return client;
}
