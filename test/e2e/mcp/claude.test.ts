/** Claude Code itself drives the fleet: only with FLEET_TEST_CLAUDE=/path/of/claude. Its model is a script, the fleet's the simulator. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { makeFolder } from '../../support/folder.ts';
import { startClaudeProvider } from '../../support/mcp/claude-provider.ts';
import { stdioEnvironment } from '../../support/mcp/stdio-client.ts';
import { fleetEntry, plainEnvironment } from '../../support/process/fleet-command.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const claude = process.env['FLEET_TEST_CLAUDE'];
const OPTIONS =
  '--print --bare --model claude-haiku-4-5 --strict-mcp-config --mcp-config mcp.json --allowedTools mcp__fleet --output-format json';
/** Claude Code checks no key; this one has no form of one. */
const NO_KEY = 'nothing';

it.skipIf(claude === undefined)('Claude Code delegates, waits and reads', async () => {
  await useSimulatedFleet(redis);
  const provider = await startClaudeProvider([
    { tool: 'mcp__fleet__delegate', input: { tasks: [{ description: 'Say hello [[turns:1]]' }], batch: 'by-claude' } },
    { tool: 'mcp__fleet__wait', input: { batch: 'by-claude' } },
    { tool: 'mcp__fleet__result', input: { id: 'by-claude-1' } },
    { text: 'The fleet has answered.' },
  ]);
  const { PATH: _path, HOME: _home, ...env } = stdioEnvironment(redis);
  const servers = { mcpServers: { fleet: { command: process.execPath, args: [fleetEntry, 'mcp'], env } } };
  const folder = makeFolder({ 'mcp.json': JSON.stringify(servers) });
  const session = promisify(execFile)(claude ?? '', [...OPTIONS.split(' '), 'Say hello through the fleet.'], {
    cwd: folder,
    timeout: 100_000,
    env: plainEnvironment({
      HOME: folder,
      ANTHROPIC_BASE_URL: provider.url,
      ANTHROPIC_API_KEY: NO_KEY,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
    }),
  });
  session.child.stdin?.end();
  const { stdout } = await session;
  expect(JSON.parse(stdout)).toMatchObject({ is_error: false, result: 'The fleet has answered.' });
  const [delegated = '', waited = '', read = ''] = provider.results();
  expect(delegated).toMatch(/by-claude/);
  expect(waited).toMatch(/\bdone\b.*1/);
  expect(read).toMatch(/<material \w{8}: text of finding /);
});
