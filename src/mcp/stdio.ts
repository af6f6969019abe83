import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createMcpServer, type McpParts } from './server.ts';

/**
 * Serves one client over standard input and output until the input ends, or holds a message that is too long to read. Standard
 * output carries nothing else.
 */
export async function serveStdio(parts: McpParts): Promise<void> {
  const mcp = createMcpServer(parts);
  const { server } = mcp;
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve); // a file, or /dev/null, ends and is not closed
    process.stdin.once('close', resolve); // a terminal, or a pipe that breaks
    Object.assign(server, { onclose: resolve }); // the transport gave up
  });
  const onerror = (error: Error): void => parts.log.warn({ error }, 'mcp: a message cannot be read');
  Object.assign(server, { onerror });
  await mcp.connect(new StdioServerTransport());
  await ended;
  await mcp.close();
}
