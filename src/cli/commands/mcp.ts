import type { Command } from 'commander';
import type { McpInstallOptions } from './run/mcp-install.ts';

export function registerMcp(program: Command): void {
  const mcp = program
    .command('mcp')
    .description('serve the fleet to an MCP client, such as Claude Code, over standard input and output')
    .addHelpText('after', '\nExample:\n  fleet mcp install --write')
    .action(async () => (await import('./run/mcp.ts')).runMcpCommand());
  mcp
    .command('install')
    .description('print the line that adds the fleet to Claude Code')
    .option('--http', 'over HTTP, from the dashboard, with a token (fleet token add)')
    .option('--write', 'run the line')
    .option('--project', 'write .mcp.json of this folder instead, which a team shares; its other servers stay')
    .addHelpText('after', '\nExample:\n  fleet mcp install --http')
    .action(async (options: McpInstallOptions) => (await import('./run/mcp-install.ts')).runMcpInstallCommand(options));
}
