import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { connectRedis } from '../../../src/redis/connect.ts';
import { makeFolder } from '../../support/folder.ts';
import { plainEnvironment, runFleet, startFleet } from '../../support/process/fleet-command.ts';
import { isAlive, listDescendants, waitUntil } from '../../support/wait.ts';

/** The demo creates its folders here, so that the test can see what remains. */
let temp = '';
let source = '';
beforeEach(() => {
  temp = makeFolder({
    'source/README.md': '# Pears\n\nAll about pears.\n',
    'source/lib/pears.ts': 'export function countPears(): number {\n  return 3; // TODO: more\n}\n',
    'source/lib/apples.ts': 'export const APPLES = 4;\n',
    'source/docs/guide.md': '# Guide\n\nWhere the apples are.\n',
    'source/.env': 'DASHBOARD_PORT=nonsense\n',
  });
  source = join(temp, 'source');
});

const environment = (more: Record<string, string> = {}) => plainEnvironment({ TMPDIR: temp, ...more });
const leftovers = () => readdirSync(temp).filter((name) => name.startsWith('fleet-demo-'));

describe('fleet demo', () => {
  it('does a mission over a named folder, prints findings, answer, status and costs, and leaves nothing', async () => {
    // Variables of the shell for another fleet must have no effect.
    const env = environment({
      REDIS_URL: 'redis://127.0.0.1:1',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
      FLEET_SWARM: 'NOT A NAME',
    });
    const { code, stdout, stderr } = await runFleet(['demo', source], env, source);
    expect(stderr).toBe('');
    expect(stdout).toContain('Archive:  skipped: the archive is empty');
    expect(Number(/Plan: +(\d+) tasks, \1 for Haiku, 0 for Sonnet/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(10);
    expect(stdout.split('✅').length).toBeGreaterThan(10);
    expect(stdout).toMatch(/✅ Summarise lib\/pears\.ts.*\n.*countPears/);
    expect(stdout).toMatch(/✅ Find where "pears" is mentioned.*\n.*README\.md/);
    expect(stdout).toMatch(/✅ Ask the archive: [^✅]*\[finding_\w+\]/u);
    expect(stdout).toMatch(/📄 The answer, finding_\w+, cites [1-9]\d* findings:[^📊]*\[finding_\w+\]/u);
    expect(stdout).toMatch(/Haiku: +100\.0% of tasks/);
    expect(stdout).toMatch(/📊 SWARM STATUS/);
    expect(stdout).toMatch(/2 Haiku/);
    expect(stdout).toMatch(/all Sonnet/);
    expect(stdout).toMatch(/Dashboard: http:\/\/127\.0\.0\.1:\d+/);
    expect(stdout).not.toContain('❌');
    expect(code).toBe(0);
    expect(leftovers()).toEqual([]);
  });

  it('ends everything it started on Ctrl-C', async () => {
    const demo = startFleet(['demo', source], environment());
    const pids = await waitUntil(
      async () => {
        const found = await listDescendants(demo.child.pid ?? 0);
        return found.length >= 7 ? found : null;
      },
      { what: 'the processes of the demo' },
    );
    demo.child.kill('SIGINT');
    expect((await demo.done).code).toBe(130);
    for (const pid of pids ?? []) expect(await isAlive(pid)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('ends everything it started when it is killed', async () => {
    const demo = startFleet(['demo', source], environment());
    await waitUntil(() => demo.output().includes('✅'), { timeoutMs: 60_000, what: 'the first finding' });
    const pids = await listDescendants(demo.child.pid ?? 0);
    expect(pids.length).toBeGreaterThanOrEqual(7);
    demo.child.kill('SIGKILL');
    await demo.done;
    for (const pid of pids) await waitUntil(async () => !(await isAlive(pid)), { what: `the end of process ${pid}` });
  });

  it('leaves nothing when nobody reads on', async () => {
    const demo = startFleet(['demo', source], environment());
    await waitUntil(() => demo.output().includes('🎯'), { what: 'the goal' });
    const pids = await listDescendants(demo.child.pid ?? 0);
    demo.child.stdout?.destroy(); // as `fleet demo | head` does
    await demo.done;
    for (const pid of pids) await waitUntil(async () => !(await isAlive(pid)), { what: `the end of process ${pid}` });
    expect(leftovers()).toEqual([]);
  });

  it('stays up with --keep, and says how to look at it and how to end it', async () => {
    const { code, stdout } = await runFleet(['demo', source, '--keep'], environment());
    const [, ids = '', folder] = /End it: +kill ([\d ]+) && rm -r (\S+)/.exec(stdout) ?? [];
    const pids = ids.split(' ').map(Number);
    try {
      expect(code).toBe(0);
      expect(pids).toHaveLength(7);
      for (const pid of pids) expect(await isAlive(pid)).toBe(true);
      const [, url = ''] = /REDIS_URL=(\S+)/.exec(stdout) ?? [];
      const redis = await connectRedis(url, { role: 'producer' });
      expect(await redis.ping()).toBe('PONG');
      redis.disconnect();
      const [, page = ''] = /Dashboard: (\S+)/.exec(stdout) ?? [];
      expect((await fetch(`${page}/healthz`)).status).toBe(200);
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGTERM');
      for (const pid of pids) await waitUntil(async () => !(await isAlive(pid)), { what: `the end of process ${pid}` });
    }
    expect(folder).toContain(temp);
  });

  it('refuses a folder that is not one, and one without anything to read', async () => {
    expect(await runFleet(['demo', join(source, 'README.md')], environment())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected a folder'),
    });
    mkdirSync(join(temp, 'empty'));
    expect(await runFleet(['demo', join(temp, 'empty')], environment())).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no text files'),
    });
  });
});
