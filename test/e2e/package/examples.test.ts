import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { connectFleet } from '../../../src/api/connect-fleet.ts';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import type { SimulatedModel } from '../../../simulator/model/types.ts';
import { makeFolder } from '../../support/folder.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { startScript, type RunningScript } from '../../support/process/script.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const folder = fileURLToPath(new URL('../../../dist/examples/', import.meta.url));
const run = (name: string, ...args: string[]): RunningScript => startScript(redis, [`${folder}${name}.js`, ...args]);

/** A built worker with a simulated model and a workspace `site`. */
async function startWorker(model?: SimulatedModel): Promise<void> {
  const simulator = await startAnthropicSimulator({ latencyMs: 1, ...(model === undefined ? {} : { model }) });
  redis.cleanup(() => simulator.close());
  const workspace = makeFolder({
    'tea.ts': '/** Sells tea. */\nexport const tea = 1;\n',
    'README.md': '# Tea\n',
  });
  await startWorkerProcess(redis, { id: 'examples_worker', provider: simulator.url, slots: 50, workspace });
}

it('has a test for each example', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.js'));
  expect(names.sort()).toEqual([
    'ask-one.js',
    'follow-findings.js',
    'give-mission.js',
    'load-batch.js',
    'outside-worker.js',
    'read-costs.js',
    'typed-task.js',
    'when-broken.js',
  ]);
});

it('ask-one asks and prints the answer', async () => {
  await startWorker();
  const { code, stdout, stderr } = await run('ask-one', 'What does README.md say?', 'site').done;
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^Enqueued task-[0-9a-f]+\n[\s\S]*README\.md[\s\S]*\nfinding_[0-9a-f]+, \$0\.0\d+\n$/);
  expect(code).toBe(0);
});

it('ask-one says why a task failed', async () => {
  await startWorker();
  const { code, stderr } = await run('ask-one', 'What? [[refuse]]').done;
  expect(stderr).toMatch(/^The task failed: refusal: /);
  expect(code).toBe(1);
});

it('when-broken adds a rule, again and again', async () => {
  for (let time = 0; time < 2; time += 1) {
    const { code, stdout, stderr } = await run('when-broken').done;
    expect(stderr).toBe('');
    expect(stdout).toBe('of 0 findings of the last week 0 fit\nrule mend: active, 0 fired\n');
    expect(code).toBe(0);
  }
});

it('outside-worker does what waits for one', async () => {
  const fleet = await connectFleet({ redisUrl: redis.url, swarm: redis.swarm });
  redis.cleanup(() => fleet.close());
  const task = await fleet.tasks.add({ description: 'Count the words', for: 'outside' });
  const worker = run('outside-worker', 'my-agent');
  const finding = await task.finding({ timeoutMs: 20_000 });
  expect(finding).toMatchObject({ worker_id: 'my-agent', result: { summary: 'looked at: Count the words' } });
  await waitUntil(() => worker.output().includes(finding.finding_id));
  worker.child.kill('SIGINT');
  expect((await worker.done).code).toBe(0);
});

it('load-batch loads hundreds of tasks once and tells how they ended', { timeout: 240_000 }, async () => {
  await startWorker({ reply: () => ({ content: [{ type: 'text', text: 'A number.' }] }) }); // many tasks, one turn each
  const first = await run('load-batch', 'numbers', '501').done;
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(
    /^500 added, 0 there already\n501 added, 0 there already\n501 ended, 0 failed, \$\d\.\d{4}\n$/,
  );
  const again = await run('load-batch', 'numbers', '501').done;
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toContain('0 added, 501 there already\n501 ended, 0 failed, ');
});

it('typed-task prints what the typed results say', async () => {
  await startWorker();
  const { code, stdout, stderr } = await run('typed-task', 'site', 'tea.ts', 'README.md').done;
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^tea\.ts: .+ \(\d+ exports\)\nREADME\.md: .+\n$/);
  expect(code).toBe(0);
});

it('follow-findings prints findings as they come, until it is interrupted', async () => {
  await startWorker();
  const following = run('follow-findings', 'numbers');
  await waitUntil(() => following.output().includes('following'));
  const fleet = await connectFleet({ redisUrl: redis.url, swarm: redis.swarm });
  redis.cleanup(() => fleet.close());
  const { ids } = await fleet.tasks.addMany([{ description: 'a' }, { description: 'b' }], { batch: 'numbers' });
  const findings = await Promise.all(
    ids.map(async (id) => (await fleet.tasks.get(id))?.finding({ timeoutMs: 30_000 })),
  );
  for (const finding of findings) await waitUntil(() => following.output().includes(`${finding?.finding_id}: `));
  following.child.kill('SIGINT');
  expect(await following.done).toMatchObject({ code: 0, stderr: '' });
});

it('read-costs prints what was booked', async () => {
  await startWorker();
  await run('ask-one', 'What does README.md say?', 'site').done;
  const { code, stdout, stderr } = await run('read-costs').done;
  expect(stderr).toBe('');
  expect(stdout).toMatch(
    /^claude-haiku-5-5: 1 tasks, \$0\.\d{4}\ntotal: 1 tasks, \$0\.\d{4}\nall on claude-sonnet-5-5: /,
  );
  expect(stdout).toMatch(/today: \$0\.\d{4} of \$5\.0000\n$/);
  expect(code).toBe(0);
});

it('give-mission prints the answer with its sources', async () => {
  await startWorker();
  const simulator = await startAnthropicSimulator({ latencyMs: 1 });
  redis.cleanup(() => simulator.close());
  await startWorkerProcess(redis, { id: 'examples_coordinator', kind: 'coordinator', provider: simulator.url });
  const { code, stdout, stderr } = await run('give-mission', 'Try it [[tasks:3]]').done;
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^Given mission-[0-9a-f]+\nOn “Try it”: [\s\S]*\nSources: (finding_[0-9a-f]+(, )?){3}\n$/);
  expect(code).toBe(0);
});
