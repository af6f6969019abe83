import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useShell } from '../../support/process/use-shell.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const shell = useShell(redis);

it('tries, adds, shows, replays, pauses and ends a rule', async () => {
  await storeFindings(redis, {
    f1: { topics: ['tea'], summary: 'bad \u001b[2Jleaves' },
    f2: { topics: ['tea'], origin: { chain: [{ rule: 'first', finding: 'f0' }] } },
    f3: { topics: ['milk'] },
  });
  const rule = ['watch', '--topic', 'tea', '--task', 'Check {finding.id}: {finding.summary}', '--max', '5/day'];
  const tried = await shell.run('when', ...rule, '--dry-run');
  expect(tried.stdout).toContain('Rule watch: 2 of 3 findings fit, would start 1 task; nothing was changed');
  expect(tried.stdout).toMatch(/f2 +parked: too deep/);
  expect(tried.stdout).not.toContain('\u001b');
  expect((await shell.run('when', 'ls')).stdout).toContain('No rules. fleet when NAME');

  const added = await shell.run('when', ...rule, '--budget', '2');
  expect(added).toMatchObject({ code: 0, stderr: expect.stringContaining('No process is up that runs rules') });
  expect(added.stdout).toContain('Rule watch: topic tea\n  a task for each finding, at most 5 a day, budget $2.0000');
  expect((await shell.run('when', 'replay', 'watch')).stdout).toContain('2 of 3 findings fit, started 1 task');
  expect((await shell.run('when', 'ls')).stdout).toMatch(/watch +active +1 +1 +1 +\$0\.0000 +\$2\.0000 +topic tea/);
  const shown = await shell.run('when', 'show', 'watch');
  expect(shown.stdout).toContain('f0 → first → f2 → watch');
  expect(shown.stdout).toContain('fleet when release watch');
  expect((await shell.run('status')).stdout).toMatch(/Parked: chains +1 of watch \(fleet when show watch/);
  expect((await shell.run('budget', '3', '--rule', 'watch')).stdout).toContain('Budget of rule watch: $3.0000');

  expect((await shell.run('findings', 'f2')).stdout).toMatch(/^Rules +f0 → first$/m);

  expect((await shell.run('when', 'release', 'watch')).stdout).toContain('Released 1 chain');
  expect((await shell.run('when', 'pause', 'watch')).stdout).toContain('is paused');
  const resumed = await shell.run('when', 'resume', 'watch', '--json');
  expect(JSON.parse(resumed.stdout)).toMatchObject({ state: 'active', fired: 2, parked: 0 });
  expect((await shell.run('when', 'rm', 'watch')).stdout).toContain('Rule watch is gone.');
}, 120_000);

it('reads the task from a file', async () => {
  writeFileSync(join(shell.folder, 'task.json'), '{"description":"Check {finding.id}","max_turns":3}');
  writeFileSync(join(shell.folder, 'task.md'), 'Look at\n{finding.id}\n');
  const whole = await shell.run('when', 'a', '--topic', 't', '--task', 'task.json', '--json');
  expect(JSON.parse(whole.stdout)).toMatchObject({ task: { description: 'Check {finding.id}', max_turns: 3 } });
  const words = await shell.run('when', 'b', '--topic', 't', '--task', 'task.md', '--json');
  expect(JSON.parse(words.stdout)).toMatchObject({ task: { description: 'Look at\n{finding.id}' } });
}, 60_000);

it.each([
  [['list'], 2, 'fleet when ls lists the rules'],
  [['r', '--swarm', 'ops', '--task', 'x'], 2, 'expected at least one of --topic'],
  [['r', '--topic', 't'], 2, 'expected --task'],
  [['r', '--topic', 't', '--task', 'gone.json'], 2, 'there is no file gone.json'],
  [['r', '--topic', 't', '--task', 'x', '--max', 'many'], 2, 'Expected tasks a day'],
  [['r', '--topic', 't', '--task', '{finding.colour}'], 2, '{finding.colour} is not known'],
  [['pause', 'r', '--topic', 't'], 2, '--topic has no meaning here'],
  [['pause', 'nobody'], 1, 'rule nobody: there is none of this name'],
  [['release', 'nobody'], 1, 'neither a rule nor the task of a parked chain'],
])('explains a wrong `fleet when %j`, exit %d', async (args, exit, words) => {
  const { code, stderr } = await shell.run('when', ...args);
  expect(stderr).toContain(words);
  expect(code).toBe(exit);
});
