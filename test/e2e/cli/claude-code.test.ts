import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const shell = useShell(redis, (folder) => ({
  FLEET_WORKSPACES: `site=${folder}`,
  FLEET_BUDGET_USD: '7.5',
  FLEET_HAIKU_MODEL: 'claude-haiku-5-5',
}));
const fleet = shell.run;
const read = (path: string): string => readFileSync(join(shell.folder, '.claude', path), 'utf8');

it('`fleet prompt --install` writes the files for Claude Code, and leaves those of a person', async () => {
  const dry = await fleet('prompt', '--install', '--dry-run');
  expect(dry.stdout).toContain('name: fleet-worker');
  expect(dry.stderr).toContain('commands/fleet.md  would be written');
  expect(existsSync(join(shell.folder, '.claude'))).toBe(false);

  expect(await fleet('prompt', '--install')).toMatchObject({ code: 0, stdout: '' });
  expect(read('skills/haiku-fleet/SKILL.md')).toMatch(/Workspaces: `site`[\s\S]*claude-haiku-5-5[\s\S]*\$7\.50/);
  const agent = read('agents/fleet-worker.md');
  const mine = 'my own command\n';
  writeFileSync(join(shell.folder, '.claude/commands/fleet.md'), mine);
  writeFileSync(join(shell.folder, '.claude/agents/fleet-worker.md'), agent.replace('model: haiku', 'model: sonnet'));
  await fleet('budget', '9');

  const again = await fleet('prompt', '--install');
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(
    /fleet-worker\.md {2}is there and yours: left[\s\S]*SKILL\.md {2}updated[\s\S]*fleet\.md {2}is there/,
  );
  expect(read('commands/fleet.md')).toBe(mine);
  expect(read('agents/fleet-worker.md')).toContain('model: sonnet');
  expect(read('skills/haiku-fleet/SKILL.md')).toContain('$9.00');
  expect(await fleet('prompt')).toMatchObject({ code: 2 });
});

describe('`--timeout`', () => {
  const WAITS: [string, string[], RegExp][] = [
    ['a task', ['task', "What's sold?", '--wait'], /fleet task 'What'\\''s sold\?' --wait --timeout 1 --task-id task-/],
    ['a file', ['task', '--file', 'a.jsonl', '--wait'], /fleet task --file a\.jsonl --wait --timeout 1 --batch a$/m],
    ['a question', ['ask', 'What is sold here?', '--wait'], /fleet ask .* --query-id /],
    ['a mission', ['mission', 'Find what is sold', '--wait'], /fleet mission mission-\S+ --wait --timeout 1$/m],
    [
      'a paper',
      ['paper', 'What is sold', '--out', 'p.md'],
      /fleet paper --resume mission-\S+ --out p\.md --timeout 1$/m,
    ],
  ];

  it.each(WAITS)('ends the wait for %s with 4, and prints the line that waits again', async (_what, words, line) => {
    writeFileSync(join(shell.folder, 'a.jsonl'), '{"description": "Say tea."}\n');
    const { code, stderr } = await fleet(...words, '--timeout', '1');
    expect(stderr).toMatch(line);
    expect(stderr).toContain('not ended after 1 second; the work goes on');
    expect(code).toBe(4);

    const queue = { ask: 'archive', task: 'tasks' }[words[0] ?? ''] ?? 'missions';
    const count = () => redis.redis.llen(redis.keys.queueKey(queue, 'wait'));
    expect(await count()).toBe(1);
    const again = /(?<=waits again:\n {2}fleet ).*/.exec(stderr)?.[0] ?? '';
    const given = execFileSync('sh', ['-c', `printf '%s\\n' ${again}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
    expect(await fleet(...given, '--timeout', '1')).toMatchObject({ code: 4 });
    expect(await count()).toBe(1);
  });

  it('is refused where nothing waits', async () => {
    for (const words of [
      ['task', 'x y'],
      ['paper', 'x y', '--no-wait'],
    ]) {
      const { code, stderr } = await fleet(...words, '--timeout', '1');
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringContaining('--timeout is for a command that waits'),
      });
    }
  });
});
