import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { makePatch, makePersonRepository } from '../../support/patches/person-repository.ts';
import { runFleet } from '../../support/process/fleet-command.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const main = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));
const redis = useRedis();
const shell = useShell(redis);

test('a person looks at two patches, applies the one that fits, takes it back, and drops the other', async () => {
  const person = makePersonRepository({ 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'b\n' });
  const env = shell.env({ FLEET_WORKSPACES: `site=${person.root}`, GIT_CONFIG_GLOBAL: '/dev/null' });
  const fleet = (...args: string[]) => runFleet(args, env, shell.folder);
  const one = await makePatch(redis.db, person, 'task-1', {
    work: (tree) => tree.write({ 'a.txt': 'one\nTWO\nthree\n', 'new.bin': Buffer.from([0, 255, 10]) }),
  });
  const two = await makePatch(redis.db, person, 'task-2', { work: (tree) => tree.write({ 'b.txt': 'B\n' }) });
  person.write({ 'b.txt': 'other\n' });
  person.commit('Other');

  expect((await fleet('diff')).stdout).toMatch(new RegExp(`${one.findingId} +pending +2 files +\\+1 +-1 +Do task-1\n`));
  expect((await fleet('diff', 'task-2', '--stat')).stdout).toMatch(
    /Do task-2 {2}\(pending\)\n {2}b\.txt {2}\+1 {2}-1\n$/,
  );
  const { stdout } = await fleet('diff', one.findingId);
  expect(stdout).not.toContain('\u001B');
  execFileSync('git', ['apply', '--check'], { cwd: person.root, input: stdout });

  const onTerminal = execFileSync('/usr/bin/script', ['-qec', `${process.execPath} ${main} diff task-2`, '/dev/null'], {
    env: { ...env, PAGER: 'sed s/^/paged:/', TERM: 'xterm' },
    encoding: 'utf8',
  });
  expect(onTerminal).toContain('paged:\u001B[31m-b\u001B[0m');

  const applied = await fleet('apply', 'task-2', one.findingId);
  expect(applied.code).toBe(1);
  expect(applied.stdout).toMatch(
    new RegExp(
      `^❌ ${two.findingId} {2}Do task-2 {2}\\(conflict\\)\n {5}b\\.txt: HEAD holds other lines[^\n]*\n {5}try --3way[^\n]*\n✅ ${one.findingId} {2}Do task-1 {2}\\(applied [0-9a-f]{10}\\)\n1 patch applied, 1 left out\n$`,
    ),
  );
  expect(person.git('status', '--porcelain')).toBe('');
  expect((await fleet('status')).stdout).toMatch(/Patches: +1 conflict/);

  const undone = await fleet('undo', 'task-1', '--json');
  expect(undone.code).toBe(0);
  expect(JSON.parse(undone.stdout)).toMatchObject({ patches: [{ taskId: 'task-1', outcome: 'undone' }], notes: [] });
  const discarded = await fleet('discard', 'task-2');
  expect(discarded).toMatchObject({ code: 0, stderr: '' });
  expect(discarded.stdout).toContain(`(discarded ${two.head.slice(0, 10)})\n1 patch discarded\n`);
  expect((await fleet('diff')).stdout).toBe('No patch waits.\n');
  expect((await fleet('worktrees')).stdout).toBe('No task has a working tree on this host.\n');
});
