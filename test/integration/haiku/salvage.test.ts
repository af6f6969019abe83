import { expect, test } from 'vitest';
import type { TaskInput } from '../../../queues/tasks.ts';
import { readBatch } from '../../../src/tasks/batch/progress.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { createThinkingModel } from '../../support/models/thinking-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const LOOK: Step = { tools: [{ name: 'findings', input: { action: 'search', query: 'tea' } }] };
const EMPTY: Step = { text: '' };
const schema = { type: 'object', properties: { lines: { type: 'integer' } }, required: ['lines'] };

/** Runs one task; the model says the steps one after the other, then the last again and again. */
async function work(steps: [Step, ...Step[]], task: Partial<TaskInput> = {}) {
  const model = createThinkingModel((_, call) => steps[call - 1] ?? steps.at(-1) ?? steps[0]);
  const fleet = await useFleet(redis, { haiku: model });
  const job = await fleet.tasks.add({ description: 'Look for tea', ...task });
  return { fleet, model, job, finding: () => job.finding({ timeoutMs: 10_000 }) };
}

const lastWords = (call: { messages: object[] } | undefined): string => JSON.stringify(call?.messages.at(-1));

test('the last turn may call no tool, and what it reports is a partial finding, counted apart', async () => {
  const { fleet, model, job, finding } = await work(
    [LOOK, LOOK, LOOK, 'One shop sells tea; I did not see the others'],
    {
      max_turns: 4,
    },
  );

  expect(await finding()).toMatchObject({ status: 'partial', result: 'One shop sells tea; I did not see the others' });

  expect(model.calls.map(({ toolChoice }) => toolChoice)).toEqual([undefined, undefined, undefined, 'none']);
  expect(model.calls.map(({ tools }) => tools.length > 0)).toEqual([true, true, true, true]);
  expect(lastWords(model.calls[0])).not.toContain('turns are left');
  expect(lastWords(model.calls[1])).toContain('Three turns are left');
  expect(lastWords(model.calls[2])).not.toContain('turns are left');
  expect(lastWords(model.calls[3])).toContain('This is the last turn');
  expect(await fleet.logs(job.id)).toMatch(/turn 4 of 4: partial result /);
  expect(await fleet.counters()).toMatchObject({ partial_findings: '1' });
  const status = await fleet.status();
  expect(status.findings).toMatchObject({ live: 1, sinceSession: 1, partialSinceSession: 1 });
});

test('a result before the last turn is complete, and so is the only turn of a task that has one', async () => {
  const { fleet, finding } = await work([LOOK, 'tea'], { max_turns: 3 });
  expect(await finding()).toMatchObject({ status: 'completed', result: 'tea' });
  const single = await fleet.tasks.add({ description: 'Say tea', max_turns: 1 });
  expect(await single.finding({ timeoutMs: 10_000 })).toMatchObject({ status: 'completed' });
  expect(await fleet.counters()).not.toHaveProperty('partial_findings');
});

test('the turn after two million tokens is the last', async () => {
  const model = createScriptedModel(({ toolChoice }) => (toolChoice === 'none' ? 'a lot of tea' : LOOK));
  const thirsty: typeof model = {
    ...model,
    async call(...args) {
      const reply = await model.call(...args);
      return { ...reply, usage: { ...reply.usage, cache_read: 60_000 } };
    },
  };
  const fleet = await useFleet(redis, { haiku: thirsty });
  const job = await fleet.tasks.add({ description: 'Look for tea', max_turns: 100 });
  expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({ status: 'partial', result: 'a lot of tea' });
  expect(model.calls).toHaveLength(35); // 34 of 60,300 tokens pass the limit
});

test('the last turn keeps a text that breaks the schema', async () => {
  const { finding } = await work([LOOK, 'about 7 lines'], { max_turns: 2, schema });
  expect(await finding()).toMatchObject({ status: 'partial', result: 'about 7 lines' });
});

test('only a last turn without a text fails the task', async () => {
  const { job, finding, fleet } = await work([LOOK, EMPTY], { max_turns: 2 });
  await expect(finding()).rejects.toThrow(/step-limit: no result after 2 turns;/);
  expect(await fleet.inner.db.redis.exists(redis.keys.finding(job.findingId))).toBe(0);
});

test('an empty reply is asked for again, once, and leaves nothing in the prompt', async () => {
  const { model, finding } = await work([LOOK, EMPTY, LOOK, 'tea']);
  expect(await finding()).toMatchObject({ status: 'completed', result: 'tea' });
  expect(lastWords(model.calls[2])).toContain('Your last reply was empty');
  expect(model.calls[2]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
});

test('two empty replies fail the task', async () => {
  const { model, finding } = await work([EMPTY]);
  await expect(finding()).rejects.toThrow(/malformed: the reply holds no text, also after it was asked for again/);
  expect(model.calls).toHaveLength(2);
});

test('a reply that was cut is asked for once more with twice the room, and both are paid', async () => {
  const cut: Step = { text: 'README.md sel', stopReason: 'max_tokens' };
  const { fleet, model, job, finding } = await work([LOOK, cut, 'README.md sells tea']);

  expect(await finding()).toMatchObject({ status: 'completed', result: 'README.md sells tea' });

  expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([32_000, 32_000, 64_000]);
  expect(model.calls[2]?.messages).toEqual(model.calls[1]?.messages);
  expect(await fleet.logs(job.id)).toMatch(/turn 2 of 30: cut off, asked once more with 64000 tokens/);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 3, reserved: 0, uncertainCalls: 0 });
});

const HALF: [string, RegExp][] = [
  ['max_tokens', /step-limit: the reply was cut off at 200 tokens/],
  ['model_context_window_exceeded', /too-long: /],
  ['pause_turn', /malformed: the reply is not whole: it stopped with "pause_turn"/],
  ['a_new_reason', /malformed: the reply is not whole: it stopped with "a_new_reason"/],
];

test.each(HALF)('a reply that stops with %s is no result', async (stopReason, reason) => {
  const { finding } = await work([{ text: 'half a te', stopReason }]);
  await expect(finding()).rejects.toThrow(reason);
});

test.each(HALF)('a tool call of a reply that stops with %s is not carried out', async (stopReason, reason) => {
  const model = createScriptedModel(() => ({
    tools: [{ name: 'write', input: { file_path: 'half.txt', content: 'hal' } }],
  }));
  const half = {
    ...model,
    call: async (...args: Parameters<typeof model.call>) => ({ ...(await model.call(...args)), stopReason }),
  };
  const fleet = await useFleet(redis, { site: {}, haiku: half });
  const job = await fleet.tasks.add({ description: 'Write it', workspace: 'site' });
  await expect(job.finding({ timeoutMs: 10_000 })).rejects.toThrow(reason);
  const { existsSync } = await import('node:fs');
  expect(existsSync(`${fleet.site}/half.txt`)).toBe(false);
});

test('a replay of a salvaged task pays nothing twice', async () => {
  const { fleet, model, job, finding } = await work(
    [LOOK, LOOK, { text: 'half', stopReason: 'max_tokens' }, 'some tea'],
    {
      max_turns: 3,
    },
  );
  expect(await finding()).toMatchObject({ status: 'partial' });
  const done = await fleet.bullJob(job.id);
  await done.retry('completed');
  await fleet.until(job.id, 'completed');
  expect(model.calls).toHaveLength(4);
});

test('a reply that was cut is replayed, and asked for again by the worker that takes over', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const model = createThinkingModel(async (_, call) => {
    if (call === 2) await released;
    return call === 1 ? LOOK : call === 2 ? { text: 'te', stopReason: 'max_tokens' } : 'tea';
  });
  const fleet = await useFleet(redis);
  const first = await fleet.startHaiku(model);
  const job = await fleet.tasks.add({ description: 'Look for tea' });
  await waitUntil(() => model.calls.length === 2, { what: 'the second call' });
  const closed = first.close();
  release();
  await closed;
  await fleet.startHaiku(model);
  expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({ result: 'tea', recovered: 2 });
  expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([32_000, 32_000, 64_000]);
});

test('a batch counts its partial findings', async () => {
  const model = createScriptedModel(({ messages }) => (JSON.stringify(messages).includes('a lot') ? LOOK : 'tea'));
  const reporting = {
    ...model,
    call: ((request, options) =>
      request.toolChoice === 'none'
        ? createScriptedModel(() => 'what I have').call(request, options)
        : model.call(request, options)) as typeof model.call,
  };
  const fleet = await useFleet(redis, { haiku: reporting });
  const tasks = ['a lot', 'a bit'].map((text) => ({ description: `Look for ${text}`, max_turns: 3 }));
  const { ids } = await fleet.tasks.addMany(tasks, { batch: 'shop' });
  for (const id of ids) await fleet.until(id, 'completed');
  expect(await readBatch(fleet.inner.db, 'shop')).toMatchObject({ tasks: 2, completed: 2, partial: 1, failed: 0 });
});
