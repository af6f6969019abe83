import { expect, test } from 'vitest';
import type { TaskInput } from '../../../queues/tasks.ts';
import { runExecWorker } from '../../../src/outside/exec/run-exec-worker.ts';
import type { ExecOptions } from '../../../src/outside/exec/types.ts';
import { toChildEnvironment } from '../../../src/outside/exec/child-environment.ts';
import { cancelJobs } from '../../../src/tasks/cancel.ts';
import { createNotifier } from '../../../src/swarm/notify.ts';
import { makeFolder } from '../../support/folder.ts';
import { initRepository, runGit } from '../../support/person-git.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const SCHEMA = { type: 'object', properties: { lines: { type: 'integer' } }, required: ['lines'] };

async function add(fleet: TestFleet, more: Partial<TaskInput> = {}): Promise<string> {
  return (await fleet.tasks.add({ description: 'Count the lines', for: 'outside', ...more })).id;
}

/** Runs a program for tasks. @returns the lines that it told */
async function run(
  fleet: TestFleet,
  command: string,
  { signal = new AbortController().signal, ...more }: Partial<ExecOptions> & { signal?: AbortSignal } = {},
): Promise<string[]> {
  const lines: string[] = [];
  const { inner } = fleet;
  const notifier = createNotifier({ target: undefined, db: inner.db });
  const env = toChildEnvironment(inner.config, [], process.env);
  const limits = { slots: 2, leaseMs: 60_000, deadlineMs: 20_000, drain: true };
  const options = { as: 'program-1', command, env, ...limits, say: (line: string) => void lines.push(line), ...more };
  await runExecWorker({ ...inner, notifier }, options, signal);
  return lines;
}

test('a program does each task, by its standard input and the file', async () => {
  const fleet = await useFleet(redis);
  const [text, json] = [await add(fleet), await add(fleet, { schema: SCHEMA, kind: 'docs' })];
  await run(fleet, `grep -q '"kind": "docs"' "$FLEET_TASK_FILE" && echo '{"lines": 3}' || grep description`);
  expect(await fleet.tasks.get(text).then((task) => task?.result())).toBe('"description": "Count the lines",');
  expect(await fleet.tasks.get(json).then((task) => task?.result())).toEqual({ lines: 3 });
  expect((await fleet.findings.list())[0]).toMatchObject({ worker_id: 'program-1', unmetered: { input: null } });
});

test('what Claude Code prints as JSON holds result, tokens and cost', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet, { schema: SCHEMA });
  const usage = { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 7 };
  const printed = { type: 'result', result: 'It has\n```json\n{"lines": 3}\n```', total_cost_usd: 0.25, usage };
  await run(fleet, `printf '%s' '${JSON.stringify(printed)}'`);
  const finding = await fleet.tasks.get(id).then((task) => task?.finding());
  expect(finding).toMatchObject({ result: { lines: 3 }, cost: 0, unmetered: { input: 15, output: 7, cost: 0.25 } });
});

const FAILURES: [string, string, RegExp, Partial<ExecOptions>?][] = [
  [
    'an exit code, with the end of the error output',
    'echo out; echo "no such file" >&2; exit 3',
    /^outside: no such file \(exit code 3\)/,
  ],
  ['no output', 'true', /^outside: the program printed nothing/],
  ['a result that breaks the schema', `echo '{"lines":"three"}'`, /^outside: result: .*lines(?!.*lease)/],
  ['the deadline', 'sleep 30', /^outside: the program was ended after 0.5 s/, { deadlineMs: 500 }],
];

test.each(FAILURES)('%s fails the task', async (_, command, reason, more) => {
  const fleet = await useFleet(redis);
  const id = await add(fleet, { schema: SCHEMA });
  await run(fleet, command, more);
  expect((await fleet.bullJob(id)).failedReason).toMatch(reason);
});

test('what a program changes in a git workspace becomes a patch, and the person’s tree stays', async () => {
  const site = makeFolder({ 'a.md': 'one\n' });
  initRepository(site);
  const fleet = await useFleet(redis, { env: { FLEET_WORKSPACES: `site=${site}`, FLEET_DATA: makeFolder() } });
  const id = await add(fleet, { workspace: 'site' });
  await run(fleet, 'echo two >> a.md && echo done');
  const finding = await fleet.tasks.get(id).then((task) => task?.finding());
  expect(finding).toMatchObject({ files_changed: ['a.md'], patch: { files: 1, added: 1, state: 'pending' } });
  expect(runGit(site, 'status', '--porcelain')).toBe('');
  expect(String(await fleet.patches.diff(id).then((text) => Buffer.from(text ?? [])))).toContain('+two');
  expect((await fleet.patches.get(id))?.message).toContain('Fleet-Cost: unmetered');
});

test('the end of the worker ends its programs, and gives their tasks back', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet);
  const stop = new AbortController();
  const running = run(fleet, 'sleep 60 & sleep 60', { signal: stop.signal, drain: false });
  await waitUntil(async () => (await fleet.queue.getJobState(id)) === 'active');
  stop.abort();
  expect(await running).toContain(`${id}: given back`);
  expect(await fleet.queue.getJobState(id)).toBe('delayed');
  expect((await fleet.outside.claim({ as: 'other' }))?.task_id).toBe(id);
});

test('a task that is taken away ends its program, and its result is not recorded', async () => {
  const fleet = await useFleet(redis);
  const id = await add(fleet);
  const running = run(fleet, 'sleep 60; echo late', { leaseMs: 1_200 });
  await waitUntil(async () => (await fleet.queue.getJobState(id)) === 'active');
  await cancelJobs(fleet.inner.db, fleet.queue, [id]);
  expect((await running).join('\n')).toContain('it has failed (cancelled');
  expect(await fleet.findings.count()).toBe(0);
});

test('a program gets no key of the fleet, under whatever name, unless it is named', async () => {
  const fleet = await useFleet(redis, { env: { DASHBOARD_PASSWORD: 'correct horse 1' } });
  const env = {
    PATH: '/bin',
    ANTHROPIC_API_KEY: 'a',
    GEMINI_API_KEY_SHARD1: 'b',
    REDIS_URL: 'c',
    MINE: 'correct horse 1',
  };
  expect(toChildEnvironment(fleet.inner.config, [], env)).toEqual({ PATH: '/bin' });
  expect(toChildEnvironment(fleet.inner.config, ['ANTHROPIC_API_KEY'], env)).toEqual({
    PATH: '/bin',
    ANTHROPIC_API_KEY: 'a',
  });
  expect(() => toChildEnvironment(fleet.inner.config, ['NOT_SET'], env)).toThrow(/--env NOT_SET/);
});
