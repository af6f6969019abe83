/**
 * An MCP client that kills itself once its tasks are delegated: `node dying-client.mjs SERVER COUNT BATCH [more arguments]`.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const [server = '', count = '1', batch = ''] = process.argv.slice(2);
const client = new Client({ name: 'dying', version: '1' });
await client.connect(
  new StdioClientTransport({ command: process.execPath, args: [server, 'mcp'], env: { ...process.env } }),
);
const tasks = Array.from({ length: Number(count) }, (_, i) => ({ description: `Say ${i + 1} [[turns:1]]` }));
await client.callTool({ name: 'delegate', arguments: { tasks, batch, confirm: true } });
process.kill(process.pid, 'SIGKILL');
