import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { addClient } from '../../../src/clients/clients.ts';
import type { Role } from '../../../src/clients/types.ts';
import type { Db } from '../../../src/redis/db.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** Adds a client and gives its token. */
export async function addToken(db: Db, name: string, role: Role, budgetUsd: number | null = 5): Promise<string> {
  return (await addClient(db, { name, role, budgetUsd: role === 'read' ? null : budgetUsd, expires: null })).token;
}

/** The SDK's own client of a dashboard's `/mcp`, closed after the test. */
export async function openHttpClient(redis: TestRedis, base: string, token: string): Promise<Client> {
  const transport = new StreamableHTTPClientTransport(new URL(`${base}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  const client = new Client({ name: 'test', version: '1' });
  redis.cleanup(() => client.close());
  await client.connect(transport);
  return client;
}
