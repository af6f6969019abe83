import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NotFoundError, ProviderUnavailableError, UsageError } from '../../../src/errors.ts';
import type { RunEntry } from '../../../src/run-record/types.ts';
import { makeFolder } from '../../support/folder.ts';
import { createMissionModel } from '../../support/models/mission-model.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
async function listAll(entries: AsyncIterable<RunEntry>): Promise<RunEntry[]> {
  const all: RunEntry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

const kindsOf = (entries: readonly RunEntry[]): string[] => entries.map(({ kind }) => kind);

/** Most that a short task may leave in Redis, bytes. */
const MOST_BYTES = 2_048;

test('a task of three turns leaves who took it, each call and each tool, within two kilobytes', async () => {
  const model = createScriptedModel((_, call) => {
    if (call === 3) return 'It sells tea.';
    const path = call === 1 ? 'README.md' : 'missing.md';
    return { tools: [{ name: 'read', input: { file_path: path } }] };
  });
  const fleet = await useFleet(redis, { site: { 'README.md': '# A site\n' }, haiku: model });
  const { id, finding, findingId } = await fleet.tasks.add({ description: 'What is sold?', workspace: 'site' });
  await finding({ timeoutMs: 20_000 });
  await fleet.until(id, 'completed');

  const job = await fleet.job(id);
  expect(job).toMatchObject({
    queue: 'tasks',
    state: 'completed',
    text: 'What is sold?',
    findingId,
    costUsd: '0.000330',
    waits: null,
    isRecorded: true,
  });
  const entries = await listAll(job.timeline());
  const turn = ['reserved', 'call'];
  expect(kindsOf(entries)).toEqual(['queued', 'taken', ...turn, 'tool', ...turn, 'tool', ...turn, 'finding']);
  expect(entries.find(({ kind }) => kind === 'call')).toMatchObject({
    turn: '0',
    model: 'claude-haiku-5-5',
    input: 100,
    cached: 0,
    output: 200,
    nanoUsd: 110_000,
    error: null,
  });
  const [read, missing] = entries.filter((entry) => entry.kind === 'tool');
  expect(read).toMatchObject({ name: 'read', args: 'file_path=README.md', error: null });
  expect(missing).toMatchObject({ args: 'file_path=missing.md', error: expect.stringContaining('missing.md') });
  expect(entries.at(-1)).toMatchObject({ kind: 'finding', id: findingId });

  const { keys } = redis;
  expect(await redis.redis.memory('USAGE', keys.run(id))).toBeLessThanOrEqual(MOST_BYTES);
  const days = (await redis.redis.ttl(keys.run(id))) / 86_400;
  expect(days).toBeGreaterThan(6.9);
  expect(days).toBeLessThanOrEqual(7);
});

test('a wait, the run after it and the replies that this run takes over are told, in order', async () => {
  const model = createScriptedModel((_, call) => {
    if (call === 1) return { tools: [{ name: 'read', input: { file_path: 'a.txt' } }] };
    if (call === 2) throw new ProviderUnavailableError('claude-haiku-5-5', true, 'it is down');
    return 'done';
  });
  const fleet = await useFleet(redis, { site: { 'a.txt': 'a' }, haiku: model });
  const { id, finding } = await fleet.tasks.add({ description: 'Read it', workspace: 'site' });
  const waiting = await fleet.until(id, 'delayed');
  expect(await fleet.job(id)).toMatchObject({
    state: 'delayed',
    waits: { why: expect.stringContaining('it is down') },
  });
  await waiting.promote();
  const followed = listAll((await fleet.job(id)).timeline({ follow: true }));
  await finding({ timeoutMs: 20_000 });

  const entries = await followed; // it ends with the job
  const first = ['queued', 'taken', 'reserved', 'call', 'tool', 'reserved', 'call', 'wait'];
  expect(kindsOf(entries)).toEqual([...first, 'taken', 'replayed', 'reserved', 'call', 'finding']);
  expect(entries.filter(({ kind }) => kind === 'call')[1]).toMatchObject({ nanoUsd: null, error: 'it is down' });
  const wait = entries.find((entry) => entry.kind === 'wait');
  expect(wait?.until).toBeGreaterThan(wait?.at ?? Infinity);
  expect(entries.find(({ kind }) => kind === 'replayed')).toMatchObject({ turns: 1 });
});

test('a job without a record is told by its queue and its finding; an unknown one by ids that are like it', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'done'), env: { FLEET_RUN_DAYS: '0' } });
  const { id, finding, findingId } = await fleet.tasks.add({ description: 'Do it' }, { taskId: 'nightly-report' });
  await finding({ timeoutMs: 20_000 });
  await fleet.until(id, 'completed');
  expect(await redis.redis.exists(redis.keys.run(id))).toBe(0);

  const job = await fleet.job(findingId); // by its finding, too
  expect(job).toMatchObject({ id, isRecorded: false, state: 'completed' });
  expect(new Set(kindsOf(await listAll(job.timeline())))).toEqual(new Set(['queued', 'taken', 'finding']));
  await (await fleet.bullJob(id)).remove();
  await redis.redis.set(redis.keys.turns(id), 'of another program');
  const removed = await fleet.job(findingId);
  expect(removed).toMatchObject({ id, queue: null, state: 'unknown', text: 'Do it' });
  expect(kindsOf(await listAll(removed.timeline()))).toEqual(['finding']);

  await fleet.tasks.add({ description: 'Do it' }, { taskId: 'nightly-export' });
  const unknown = fleet.job('nightly-exports');
  await expect(unknown).rejects.toThrow(NotFoundError);
  await expect(unknown).rejects.toThrow(/did you mean nightly-export/);
  await expect(fleet.job(' ')).rejects.toThrow(UsageError);
  await expect(fleet.job('x'.repeat(100_000))).rejects.toThrow(/^job x{200}: no queue has it/);
});

test('a failure says what a person does; no text keeps a key', async () => {
  const key = `sk-${'a1'.repeat(20)}`;
  let release: (reply: Step) => void = () => undefined;
  const held = new Promise<Step>((resolve) => (release = resolve));
  const model = createScriptedModel((_, call) => {
    if (call === 1) return { tools: [{ name: 'read', input: { file_path: key } }] };
    if (call > 2) return held;
    return {
      tools: [{ name: 'hand_back', input: { reason: 'ambiguous requirements', explanation: `it needs ${key}` } }],
    };
  });
  const fleet = await useFleet(redis, { site: {}, haiku: model });
  const { id } = await fleet.tasks.add({ description: 'Do it', workspace: 'site' });
  await fleet.until(id, 'failed');
  const job = await fleet.job(id);
  expect(job).toMatchObject({
    state: 'failed',
    failure: { reason: 'handed-back' },
    waits: { why: 'it failed: handed-back', command: expect.stringContaining('fleet retry') },
  });
  const entries = await listAll(job.timeline());
  expect(entries.at(-1)).toMatchObject({ kind: 'failed', reason: 'handed-back' });
  expect(JSON.stringify(entries)).not.toContain('a1a1a1');

  const other = await fleet.tasks.add({ description: 'Never' });
  await waitUntil(() => model.calls.length > 2, { what: 'its call' });
  await fleet.cancel({ ids: [other.id] });
  release({ tools: [{ name: 'read', input: { file_path: 'a.txt' } }] });
  await fleet.until(other.id, 'failed');
  expect(await fleet.job(other.id)).toMatchObject({ state: 'cancelled', waits: { why: 'a person cancelled it' } });
});

test('missions, questions and outside claims are told, too; transcripts are files of the host', async () => {
  const folder = makeFolder();
  const env = { FLEET_DATA: folder, FLEET_TRANSCRIPTS: '1' };
  const model = createMissionModel([{ id: 'look', description: 'Look at {item}', for_each: ['a'] }]);
  const librarian = createScriptedArchive(() => ({ answer: 'NOT IN ARCHIVE' }));
  const fleet = await useFleet(redis, { env, coordinator: model, haiku: model, librarian });
  const mission = await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
  await mission.finding({ timeoutMs: 25_000 });
  const told = await listAll((await fleet.job('m')).timeline());
  expect(kindsOf(told).slice(0, 2)).toEqual(['queued', 'taken']);
  expect(told.filter(({ kind }) => kind === 'call').map((call) => Reflect.get(call, 'turn'))).toEqual([
    'plan',
    'synthesis',
  ]);
  expect(told).toContainEqual(expect.objectContaining({ kind: 'wait', reason: 'its tasks and questions' }));
  expect(kindsOf(told).at(-1)).toBe('finding');

  const query = await fleet.ask('What is sold?');
  await query.finding({ timeoutMs: 20_000 });
  expect(kindsOf(await listAll((await fleet.job(query.id)).timeline()))).toEqual(
    expect.arrayContaining(['queued', 'taken', 'call', 'finding']),
  );

  const task = await fleet.tasks.add({ description: 'By hand', for: 'outside' });
  const claim = await fleet.outside.claim({ as: 'me', task: task.id });
  await fleet.outside.release({ taskId: task.id, lease: claim?.lease ?? '' });
  const again = await fleet.outside.claim({ as: 'you', task: task.id });
  await fleet.outside.report({ taskId: task.id, lease: again?.lease ?? '', result: 'done' });
  const outside = await listAll((await fleet.job(task.id)).timeline());
  expect(outside.map((entry) => (entry.kind === 'taken' ? `taken by ${entry.by}` : entry.kind))).toEqual([
    'queued',
    'taken by me',
    'offered',
    'taken by you',
    'finding',
  ]);

  const transcripts = join(folder, redis.swarm, 'transcripts');
  const first = JSON.parse(readFileSync(join(transcripts, 'm', '0001.json'), 'utf8')) as object;
  expect(first).toMatchObject({ job: 'm', prompt: { messages: expect.anything() }, reply: { stopReason: 'end_turn' } });
  await waitUntil(() => existsSync(join(transcripts, 'm-1', '0001.json')), { what: 'the transcript of its task' });
});

test('a task that waits for a higher budget of its own is parked, and names the command that raises it', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'Never.') });
  const { id } = await fleet.tasks.add({ description: 'What is sold?', budget_usd: 0.000_001 });
  await waitUntil(async () => (await redis.redis.hexists(redis.keys.parked, id)) === 1, { what: 'the parked task' });
  const job = await waitUntil(async () => {
    const report = await fleet.job(id);
    return report.state === 'parked' ? report : null;
  });
  expect(job?.waits).toMatchObject({ command: expect.stringContaining(`--task ${id}`) as string });
  const entries = await listAll((await fleet.job(id)).timeline());
  expect(kindsOf(entries)).toEqual(['queued', 'taken', 'parked']);
});
