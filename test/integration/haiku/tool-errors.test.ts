import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { readMissionStatus } from '../../../src/coordinator/mission/status.ts';
import { createMissionRecord } from '../../../src/coordinator/mission/record.ts';
import { readBatch } from '../../../src/tasks/batch/progress.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

const COMMIT: Step = { tools: [{ name: 'git', input: { args: ['commit', '-m', 'Sell tea'] } }] };
const LOOK: Step = {
  tools: [
    { name: 'read', input: { file_path: 'gone.txt' } },
    { name: 'read', input: { file_path: 'tea.txt' } },
  ],
};

const turnOf = (messages: { role: string }[]): number => messages.filter(({ role }) => role === 'assistant').length;

/** A fleet whose model says the steps one after the other, in each task, and whose workspace is a repository. */
async function openShop(steps: Step[], isStarted = true) {
  const model = createScriptedModel(({ messages }) => steps[turnOf(messages)] ?? 'done');
  const fleet = await useFleet(redis, { site: { 'tea.txt': 'tea\n' }, ...(isStarted ? { haiku: model } : {}) });
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=P', '-c', 'user.email=p@example.invalid', ...args], { cwd: fleet.site });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'First');
  return { fleet, model };
}

test('a finding says how many tool calls failed, with the last error of each tool', async () => {
  const { fleet } = await openShop([COMMIT, LOOK, 'Committed.']);
  const job = await fleet.tasks.add({ description: 'Commit it', workspace: 'site' });
  const finding = await job.finding({ timeoutMs: 10_000 });

  expect(finding).toMatchObject({ status: 'completed', result: 'Committed.', tool_errors: { failed: 2 } });
  expect(finding.tool_errors?.last.map(({ tool }) => tool)).toEqual(['git', 'read']);
  expect(finding.tool_errors?.last[0]?.error).toMatch(/nothing to commit.*\[git ended with exit code 1\]$/);
  expect(finding.tool_errors?.last[1]?.error).toMatch(/"gone\.txt": no such file/);

  const log = await fleet.logs(job.id);
  expect(log).toMatch(/turn 1 of 30: git \(failed\); git: .*nothing to commit/);
  expect(log).toMatch(/turn 2 of 30: read \(failed\), read; read: "gone\.txt"/);
  expect(await fleet.counters()).toMatchObject({ findings_with_tool_errors: '1' });
  expect((await fleet.status()).findings).toMatchObject({ sinceSession: 1, toolErrorsSinceSession: 1 });
});

test('a task without a failed call says nothing of it', async () => {
  const { fleet } = await openShop([{ tools: [{ name: 'read', input: { file_path: 'tea.txt' } }] }, 'tea']);
  const job = await fleet.tasks.add({ description: 'Read it', workspace: 'site' });
  expect(await job.finding({ timeoutMs: 10_000 })).not.toHaveProperty('tool_errors');
  expect(await fleet.counters()).not.toHaveProperty('findings_with_tool_errors');
});

test('a worker that takes the task over counts the failed calls of the first one, once', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const { fleet } = await openShop([], false);
  const model = createScriptedModel(async ({ messages }, call) => {
    if (call === 3) await released;
    return [COMMIT, LOOK, COMMIT, 'done'][turnOf(messages)] ?? 'done';
  });
  const first = await fleet.startHaiku(model);
  const job = await fleet.tasks.add({ description: 'Commit it', workspace: 'site' });
  await waitUntil(() => model.calls.length === 3, { what: 'the third call' });
  const closed = first.close();
  release();
  await closed;
  await fleet.startHaiku(model);

  const finding = await job.finding({ timeoutMs: 10_000 });
  expect(finding).toMatchObject({ recovered: 3, tool_errors: { failed: 3 } });
  expect(finding.tool_errors?.last.map(({ tool }) => tool)).toEqual(['read', 'git']);
  expect((await fleet.logs(job.id)).match(/turn 1 of 30: git \(failed\)/g)).toHaveLength(1);
});

test('batch and mission count the tasks in which a call failed', async () => {
  const steps: Record<string, Step[]> = { good: ['tea'], bad: [COMMIT, COMMIT, 'tea'] };
  const { fleet } = await openShop([], false);
  await fleet.startHaiku(
    createScriptedModel(({ messages }) => {
      const kind = JSON.stringify(messages[0]).includes('bad') ? 'bad' : 'good';
      return steps[kind]?.[turnOf(messages)] ?? 'tea';
    }),
  );
  const tasks = ['good', 'bad', 'bad'].map((text) => ({ description: `Be ${text}`, workspace: 'site' }));
  const { ids } = await fleet.tasks.addMany(tasks, { batch: 'shop' });
  for (const id of ids) await fleet.until(id, 'completed');
  expect(await readBatch(fleet.inner.db, 'shop')).toMatchObject({ completed: 3, partial: 0, toolErrors: 2 });

  const mission = { id: 'm', data: { goal: 'Sell' }, session: 's', createdAt: new Date() };
  await createMissionRecord(fleet.inner.db, mission);
  const counts = { total: 2, added: 2, done: 2, failed: 0, skipped: 0 };
  await redis.redis.hset(redis.keys.mission('m'), 'counts', JSON.stringify(counts));
  for (const of of ['m', 'm', 'gone']) await addOfMission(of);
  expect((await readMissionStatus(fleet.inner.db, 'm'))?.counts).toEqual({
    ...counts,
    cancelled: 0,
    partial: 0,
    toolErrors: 2,
  });
  expect(await redis.redis.exists(redis.keys.mission('gone'))).toBe(0); // a counter must not bring a removed mission back

  async function addOfMission(missionId: string): Promise<void> {
    const data = { description: 'Be bad', workspace: 'site', session: 's', mission_id: missionId };
    const job = await fleet.queue.add('task', data);
    await fleet.until(job.id ?? '', 'completed');
  }
});
