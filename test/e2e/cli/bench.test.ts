import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder } from '../../support/folder.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { useShell } from '../../support/process/use-shell.ts';

interface Report {
  machine: string;
  measured: { name: string; p50: number; count: number; missing?: string }[];
}

const redis = useRedis();
const { run: fleet } = useShell(redis);

it('`fleet bench redis` measures round trips and a context, and leaves no key', async () => {
  const folder = makeFolder();
  const { code, stdout } = await fleet('bench', 'redis', '--rounds', '5', '--save', folder, '--json');

  const { measured, machine } = JSON.parse(stdout) as Report;
  expect(code).toBe(0);
  expect(machine).toMatch(/Redis \d+\.\d+/);
  expect(measured.map(({ name }) => name)).toEqual([
    'PING',
    'SET of 1 kB',
    'GET of 1 kB',
    'context of 3.2 MB, Redis, MGET',
    'context of 3.2 MB, JSONL file',
    'context of 3.2 MB, SQLite file, SELECT',
  ]);
  for (const { name, p50, count, missing } of measured) {
    if (missing === undefined) expect([p50 > 0, count >= 3], name).toEqual([true, true]);
    else expect(missing, name).toContain('npm install');
  }
  expect(await readFile(join(folder, 'redis.md'), 'utf8')).toMatch(
    /^# fleet bench redis\n.*\n.*--save.*\n\n\| measured/,
  );
  expect(await redis.redis.keys(`${redis.keys.benchmark('')}*`)).toEqual([]);
});

it('`fleet bench spawn` measures a fleet of its own, and leaves no process', async () => {
  const { code, stdout } = await fleet('bench', 'spawn', '--rounds', '3', '--json');
  const { measured } = JSON.parse(stdout) as Report;
  expect(code).toBe(0);
  expect(measured.map(({ count, p50 }) => [count, p50 > 0])).toEqual([
    [3, true],
    [3, true],
    [3, true],
  ]);
  expect(await redis.redis.exists(redis.keys.queueKey('tasks', 'meta'))).toBe(0); // not in this swarm
}, 120_000);

it('`fleet bench --save` refuses a folder that cannot be made before it measures', async () => {
  const path = join(makeFolder({ plain: '' }), 'plain', 'x');
  const refused = await fleet('bench', 'redis', '--rounds', '3', '--save', path);
  expect(refused).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining(`--save: the folder ${path} cannot`),
  });
  expect(refused.stderr).toMatch(/plain is no folder; name one that this user may write to$/m);
});

it('`fleet bench` names what it can measure', async () => {
  expect(await fleet('bench', 'disk')).toMatchObject({ code: 2, stderr: expect.stringContaining('redis or spawn') });
});
