import { describe, expect, test } from 'vitest';
import { JobFailedError } from '../../../src/errors.ts';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

const FINDINGS = {
  finding_tea: {
    task: 'Look at the store',
    result: 'The store holds 40 crates of tea.',
    session: 's1',
    at: '2026-11-01T10:00:00Z',
  },
  finding_rum: {
    task: 'Look at the cellar',
    result: 'The cellar holds 3 barrels of rum.',
    session: 's2',
    at: '2026-11-02T10:00:00Z',
  },
};

/** A fleet over HTTP: simulated provider, real adapters, librarian, API. */
async function openLibrary(
  env: Record<string, string> = {},
  configure: Parameters<Simulator['gemini']['configure']>[0] = {},
) {
  const simulator = await startSimulator({ anthropic: { latencyMs: 0 }, gemini: { latencyMs: 0 } });
  redis.cleanup(() => simulator.close());
  simulator.gemini.configure(configure);
  const fleet = await useFleet(redis, {
    env: {
      GEMINI_BASE_URL: simulator.url,
      DEEPSEEK_BASE_URL: `${simulator.url}/anthropic`,
      FLEET_CALL_TIMEOUT_MS: '1000',
      ...env,
    },
    librarian: 'http',
  });
  return fleet;
}

describe('fleet.ask', () => {
  test.each(['generative-ai', 'genai'])('answers with citations over HTTP, through %s', async (GEMINI_SDK) => {
    await storeFindings(redis, FINDINGS);
    const fleet = await openLibrary({ GEMINI_SDK });

    const query = await fleet.ask('How many crates of tea does the store hold?', { queryId: 'tea' });
    const answer = await query.finding({ timeoutMs: 15_000 });

    expect(query).toMatchObject({ queryId: 'tea', findingId: 'archive_tea', added: true });
    expect(answer).toMatchObject({ citations: ['finding_tea'], cost: 0, kind: 'archive' });
    expect(await query.result()).toContain('40 crates of tea. [finding_tea]');
    expect(await fleet.ask('Anything?', { queryId: 'tea' })).toMatchObject({ added: false, state: 'completed' });
  });

  test('names both findings that contradict each other', async () => {
    const again = {
      task: 'Look at the store',
      result: 'The store holds 41 crates of tea.',
      at: '2026-11-03T10:00:00Z',
    };
    await storeFindings(redis, { ...FINDINGS, finding_tea2: again });
    const fleet = await openLibrary();

    const query = await fleet.ask('How many crates of tea does the store hold?');

    expect(await query.result({ timeoutMs: 15_000 })).toContain('[finding_tea, finding_tea2]');
  });

  test('is NOT IN ARCHIVE where no finding bears on the question', async () => {
    await storeFindings(redis, FINDINGS);
    const fleet = await openLibrary();
    const query = await fleet.ask('Who wrote Hamlet?');
    expect(await query.finding({ timeoutMs: 15_000 })).toMatchObject({ result: 'NOT IN ARCHIVE', citations: [] });
  });

  test.each([
    ['[[cite-unknown]]', /citations: .*not shown/],
    ['[[no-citation]]', /citations: .*cites no finding/],
    ['[[empty]]', /malformed: the reply is empty/],
    ['[[cut]]', /malformed: .*MAX_TOKENS/],
    ['[[blocked]]', /refusal: .*blocked/],
  ])('fails on a reply that is no answer: %s', async (marker, reason) => {
    await storeFindings(redis, FINDINGS);
    const fleet = await openLibrary();
    const query = await fleet.ask(`How many crates of tea? ${marker}`);
    const ended = query.finding({ timeoutMs: 15_000 });
    await expect(ended).rejects.toThrow(JobFailedError);
    await expect(ended).rejects.toThrow(reason);
    expect(await fleet.findings.list({ answers: true })).toEqual([]);
  });

  test('refuses a question of 1 MB before it is enqueued', async () => {
    const fleet = await useFleet(redis);
    await expect(fleet.ask('x'.repeat(1_000_000))).rejects.toThrow(/question: .*20000/);
    await expect(fleet.ask('Tea?', { queryId: 'a b' })).rejects.toThrow(/query id: .*"a b"/);
  });
});

describe('with a provider in trouble', () => {
  const ask = 'How many crates of tea does the store hold?';

  test('one bad key among five leaves the other four', async () => {
    await storeFindings(redis, FINDINGS);
    const keys = [2, 3, 4, 5].map((shard) => `key-${shard}`);
    const env = Object.fromEntries([1, 2, 3, 4, 5].map((shard) => [`GEMINI_API_KEY_SHARD${shard}`, `key-${shard}`]));
    const fleet = await openLibrary({ ...env, GEMINI_TIER: 'free' }, { acceptKeys: keys });

    const queries = await Promise.all(Array.from({ length: 10 }, () => fleet.ask(ask)));
    const answers = await Promise.all(queries.map((query) => query.finding({ timeoutMs: 20_000 })));

    expect(answers.map((answer) => answer.citations)).toEqual(queries.map(() => ['finding_tea']));
    expect(await redis.redis.exists(redis.keys.haltReason)).toBe(0);
  });

  test.each([
    ['a page instead of a reply', 'html'],
    ['prose instead of the JSON asked for', 'prose'],
  ] as const)('%s fails that query, and the next is answered', async (_, kind) => {
    await storeFindings(redis, FINDINGS);
    const fleet = await openLibrary({}, { faults: [{ kind, when: { nth: 1 } }] });
    const first = await fleet.ask(ask);
    await expect(first.finding({ timeoutMs: 15_000 })).rejects.toThrow(/malformed/);
    const second = await fleet.ask(ask);
    expect(await second.finding({ timeoutMs: 15_000 })).toMatchObject({ citations: ['finding_tea'] });
  });

  test.each([
    ['a socket that hangs', 'hung'],
    ['503', 'overloaded'],
    ['half a stream', 'broken-json'],
    ['503 in the middle of a stream', 'overloaded-mid-stream'],
    ['a reset connection', 'reset-after'],
    ['a used-up minute', 'minute-limit'],
    ['a used-up day with a short delay', 'day-limit'],
  ] as const)('%s sends the query to another shard', async (_, kind) => {
    await storeFindings(redis, FINDINGS);
    const fleet = await openLibrary({}, { faults: [{ kind, when: { nth: 1 } }] });
    const query = await fleet.ask(ask);
    expect(await query.finding({ timeoutMs: 20_000 })).toMatchObject({ citations: ['finding_tea'] });
  });

  test('a provider whose limits are lower than configured is obeyed: every query is answered', async () => {
    await storeFindings(redis, FINDINGS);
    const limits = { all: { rpm: 2, tpm: 250_000, rpd: 1_500 }, windowMs: 2_000 };
    const fleet = await openLibrary({ GEMINI_WINDOW_MS: '2000' }, { limits });
    const queries = await Promise.all(Array.from({ length: 15 }, () => fleet.ask(ask)));
    const answers = await Promise.all(queries.map((query) => query.finding({ timeoutMs: 28_000 })));
    expect(answers).toHaveLength(15);
  });
});

describe('ask_archive', () => {
  const asking = (question: string) => (_: unknown, call: number) =>
    call === 1 ? { tools: [{ name: 'ask_archive', input: { question } }] } : 'done';

  test('lets a task ask, and the task cites what the answer cites', async () => {
    await storeFindings(redis, FINDINGS);
    const fleet = await openLibrary();
    const model = createScriptedModel(asking('How many crates of tea does the store hold?'));
    await fleet.startHaiku(model);

    const task = await fleet.tasks.add({ description: 'Report on the tea' });
    const finding = await task.finding({ timeoutMs: 20_000 });

    expect(finding.citations).toEqual(['finding_tea']);
    expect(JSON.stringify(model.calls[1]?.messages)).toContain('40 crates of tea');
    const [answer] = await fleet.findings.list({ answers: true });
    expect(answer).toMatchObject({ requester: `task ${task.id}`, session: finding.session });
  });

  test('returns to the task that there is no answer, and the task continues', async () => {
    await storeFindings(redis, FINDINGS);
    const fleet = await openLibrary();
    const model = createScriptedModel(asking('Tea in the store? [[no-citation]]'));
    await fleet.startHaiku(model);

    const task = await fleet.tasks.add({ description: 'Report on the tea' });

    expect(await task.result({ timeoutMs: 20_000 })).toBe('done');
    expect(JSON.stringify(model.calls[1]?.messages)).toContain('ask_archive: no answer (citations:');
  });

  test('does not wait for a query that waits for a reset itself', async () => {
    await storeFindings(redis, FINDINGS);
    const fleet = await openLibrary({ GEMINI_RPD: '1', GEMINI_API_KEY: 'key-1', GEMINI_TIER: 'free' });
    await (await fleet.ask('How much rum does the cellar hold?')).finding({ timeoutMs: 15_000 });
    const model = createScriptedModel(asking('How many crates of tea does the store hold?'));
    await fleet.startHaiku(model);

    const task = await fleet.tasks.add({ description: 'Report on the tea' });

    expect(await task.result({ timeoutMs: 20_000 })).toBe('done');
    expect(JSON.stringify(model.calls[1]?.messages)).toContain('no answer in time');
    await waitUntil(async () => (await fleet.inner.queues.archive.getDelayedCount()) === 1);
  });

  test('is not offered where no shard is configured', async () => {
    const model = createScriptedModel(() => 'done');
    const fleet = await useFleet(redis, {
      env: { FLEET_OFFLINE: '0', ANTHROPIC_API_KEY: 'not-a-real-key' },
      haiku: model,
    });
    await (await fleet.tasks.add({ description: 'Anything' })).finding({ timeoutMs: 10_000 });
    expect(model.calls[0]?.tools.map((tool) => tool.name)).not.toContain('ask_archive');
  });
});
