import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { removeHalfMade } from '../../../src/patches/sweep/half-made.ts';
import { readPatch, readPatchText } from '../../../src/patches/record.ts';
import { makeFolder } from '../../support/folder.ts';
import { initRepository, runGit } from '../../support/person-git.ts';
import { plainEnvironment } from '../../support/process/fleet-command.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const script = fileURLToPath(new URL('../../support/patches/task-run.mjs', import.meta.url));
const hook = fileURLToPath(new URL('../../support/patches/kill-at-effect.mjs', import.meta.url));
const RUNS = Number(process.env['FLEET_TEST_RUNS'] ?? 6);

async function run(args: string[], kill: Record<string, string> = {}) {
  const count = join(makeFolder(), 'count');
  const env = plainEnvironment({ ...swarmEnvironment(redis), KILL_COUNT: count, ...kill });
  const child = spawn(process.execPath, ['--import', hook, script, ...args], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, effects: existsSync(count) ? Number(readFileSync(count, 'utf8')) : 0 };
}

test('a kill at any line of making, committing and storing a tree: the next run gives the same patch', async () => {
  const random = createRandom(takeSeed('kills of task trees'));
  const root = makeFolder({ 'a.txt': 'a\n', 'lib/b.txt': 'b\n' });
  const base = initRepository(root);
  const worktrees = join(makeFolder(), 'worktrees');
  const whole = await run([root, worktrees, 'whole', base]);
  expect(whole).toMatchObject({ code: 0 });
  expect(whole.effects).toBeGreaterThan(20);

  for (let turn = 0; turn < RUNS; turn += 1) {
    const at = random(1, whole.effects);
    const task = `t${turn}`;
    const args = [root, worktrees, task, base];
    const mode = turn % 2 === 0 ? 'before' : 'during';
    const where = `effect ${at} of ${whole.effects}, ${mode}`;
    expect(await run(args, { KILL_AT: String(at), KILL_MODE: mode }), where).toMatchObject({ signal: 'SIGKILL' });
    expect(await run(args), where).toMatchObject({ code: 0 });

    const record = await readPatch(redis.db, `f-${task}`);
    expect(record, where).toMatchObject({ base, branch: `fleet/${task}`, state: 'pending', leftOut: [] });
    expect(record?.changes, where).toEqual([
      { path: 'a.txt', added: 1, removed: 1, lines: '1-1' },
      { path: 'new.txt', added: 1, removed: 0, lines: '1-1' },
    ]);
    expect(String(await readPatchText(redis.db, `f-${task}`)), where).toContain('+changed');
    expect(runGit(root, 'rev-parse', `fleet/${task}`), where).toBe(record?.head);
    expect(runGit(root, 'rev-list', '--count', `${base}..fleet/${task}`), where).toBe('1');
    expect(runGit(join(worktrees, `${task}.aa`, 'tree'), 'fsck', '--no-dangling'), where).toBe('');
  }
  await removeHalfMade(worktrees, -1);
  expect((await readdir(worktrees)).length).toBe(RUNS + 1);
  expect(runGit(root, 'for-each-ref', '--format=x').split('\n')).toHaveLength(RUNS + 2);
  expect(runGit(root, 'status', '--porcelain')).toBe('');
  expect(runGit(root, 'fsck', '--no-dangling')).toBe('');
});
