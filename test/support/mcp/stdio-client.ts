import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { fleetEntry, plainEnvironment } from '../process/fleet-command.ts';
import { swarmEnvironment } from '../redis/swarm-environment.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** The SDK's own client of a built `fleet mcp`. Both end after the test. */
export async function openStdioClient(redis: TestRedis, env: Record<string, string> = {}) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [fleetEntry, 'mcp'],
    env: stdioEnvironment(redis, env),
    stderr: 'pipe',
  });
  const lines: string[] = [];
  transport.stderr?.on('data', (chunk) => lines.push(String(chunk)));
  const client = new Client({ name: 'test', version: '1' });
  const strange: Error[] = [];
  Object.assign(client, { onerror: (error: Error) => void strange.push(error) });
  redis.cleanup(() => client.close());
  await client.connect(transport);
  return { client, pid: transport.pid ?? 0, errors: () => lines.join(''), strange };
}

/** What `fleet mcp` gets from its client. */
export function stdioEnvironment(redis: TestRedis, env: Record<string, string> = {}): Record<string, string> {
  const set = Object.entries(plainEnvironment(swarmEnvironment(redis, env)));
  return Object.fromEntries(set.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
