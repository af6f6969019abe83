import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFleet } from '../../support/process/fleet-command.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const shell = useShell(redis);

/** Runs `fleet mcp install` where `claude` is a script that repeats its arguments. */
async function install(args: string[], env: Record<string, string> = {}) {
  writeFileSync(join(shell.folder, 'claude'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  const path = { PATH: `${shell.folder}:/usr/bin:/bin` };
  return startFleet(['mcp', 'install', ...args], shell.env({ ...path, ...env }), shell.folder).done;
}

it('prints the line for Claude Code', async () => {
  const { stdout, code } = await install([]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^claude mcp add --scope user fleet --env FLEET_HOME=\S+ -- \S+ \S+main\.js mcp\n$/);
  const http = await install(['--http'], { DASHBOARD_PUBLIC_URL: 'https://fleet.example.org/fleet' });
  expect(http.stdout).toBe(
    'claude mcp add --scope user --transport http fleet https://fleet.example.org/fleet/mcp --header "Authorization: Bearer $FLEET_TOKEN"\n',
  );
});

it('runs the line with --write, and says what to do without claude', async () => {
  const { stdout, code } = await install(['--write']);
  expect({ stdout, code }).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^mcp\nadd\n--scope\nuser\nfleet\n/),
  });
  const without = await startFleet(['mcp', 'install', '--write'], shell.env({ PATH: '/nowhere' }), shell.folder).done;
  expect(without).toMatchObject({ code: 1, stderr: expect.stringMatching(/claude is not on the PATH; .*--project/) });
  expect(await install(['--write', '--http'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/needs a token in FLEET_TOKEN; fleet token add/),
  });
});

it('adds itself to .mcp.json and keeps the other servers', async () => {
  const file = join(shell.folder, '.mcp.json');
  writeFileSync(file, JSON.stringify({ mcpServers: { other: { command: 'x' } }, more: 1 }));
  expect((await install(['--project', '--http'])).stdout).toBe('Added fleet to .mcp.json.\n');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    mcpServers: {
      other: { command: 'x' },
      fleet: {
        type: 'http',
        url: 'http://127.0.0.1:3900/mcp',
        headers: { Authorization: 'Bearer ${FLEET_TOKEN}' },
      },
    },
    more: 1,
  });
  expect((await install(['--project', '--http'])).stdout).toBe('.mcp.json has fleet already.\n');
  const before = readFileSync(file, 'utf8');
  expect(await install(['--project'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/another server of the name fleet/),
  });
  writeFileSync(file, '{ broken');
  expect(await install(['--project'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/\.mcp\.json: expected JSON/),
  });
  expect(before).toContain('"other"');
  expect(readFileSync(file, 'utf8')).toBe('{ broken');
});
