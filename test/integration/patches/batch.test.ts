import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { initRepository, runGit } from '../../support/person-git.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const TASKS = 20;
/** Some hundred runs of git, which take long where a machine starts processes slowly. */
const LONGEST_MS = 120_000;

/** Each task reads its file, edits it, stages it and commits it, as a model does that was told nothing of trees. */
const model = createScriptedModel(({ messages }): Step => {
  const file = /Mend (auth\d+\.js)/.exec(JSON.stringify(messages[0]))?.[1] ?? '';
  const steps: Step[] = [
    { tools: [{ name: 'read', input: { file_path: file } }] },
    { tools: [{ name: 'edit', input: { file_path: file, old_string: 'old', new_string: 'new' } }] },
    { tools: [{ name: 'git', input: { args: ['add', file] } }] },
    { tools: [{ name: 'git', input: { args: ['commit', '-m', `Mend ${file}`] } }] },
  ];
  return steps[messages.filter(({ role }) => role === 'assistant').length] ?? 'done';
});

test(
  'twenty tasks of one batch that edit and commit in one workspace make twenty commits, each of its own file',
  { timeout: LONGEST_MS },
  async () => {
    const files = Array.from({ length: TASKS }, (_, i) => `auth${i + 1}.js`);
    const fleet = await useFleet(redis, { site: Object.fromEntries(files.map((file) => [file, `${file} old\n`])) });
    const base = initRepository(fleet.site);
    await fleet.startHaiku(model);
    const tasks = files.map((file) => ({ description: `Mend ${file}`, workspace: 'site' }));
    const report = await fleet.tasks.addMany(tasks, { batch: 'auth' });
    const ended: string[] = [];
    for await (const end of fleet.tasks.ends(report.ids, { timeoutMs: LONGEST_MS })) ended.push(end.state);
    expect(ended).toEqual(Array.from({ length: TASKS }, () => 'completed'));
    expect(runGit(fleet.site, 'log', '--format=%H')).toBe(base);
    expect(await fleet.patches.list({ batch: 'auth' })).toHaveLength(TASKS);

    const applied = await fleet.patches.apply({ batch: 'auth' });
    expect(applied.patches.map(({ outcome }) => outcome)).toEqual(Array.from({ length: TASKS }, () => 'applied'));
    const commits = runGit(fleet.site, 'log', '--format=%x00%s', '--name-only', `${base}..HEAD`).split('\0').slice(1);
    const own = commits.map((commit) => commit.trim().split(/\n+/));
    expect(own.every(([subject, ...names]) => names.length === 1 && subject === `Mend ${names[0]}`)).toBe(true);
    expect(new Set(own.map(([, name]) => name))).toEqual(new Set(files));
    expect(runGit(fleet.site, 'status', '--porcelain')).toBe('');
    expect(runGit(fleet.site, 'branch', '--list', 'fleet/*')).toBe('');
    expect(await readdir(join(redis.folder, redis.swarm, 'worktrees'))).toEqual([]);
    const findings = await fleet.findings.list({ batch: 'auth' });
    expect(findings.map(({ patch }) => patch?.state)).toEqual(Array.from({ length: TASKS }, () => 'applied'));

    const [one] = applied.patches;
    expect((await fleet.patches.undo([one?.findingId ?? ''])).patches).toMatchObject([{ outcome: 'undone' }]);
    expect(runGit(fleet.site, 'diff', '--name-only', base).split('\n')).toHaveLength(TASKS - 1);
  },
);
