import { describe, expect, it } from 'vitest';
import { compactIfNeeded } from '../../../src/coordinator/compact/compact.ts';
import { toPromptBlock } from '../../../src/coordinator/compact/summary.ts';
import type { NodeView } from '../../../src/coordinator/mission/nodes.ts';
import { toMarks } from '../../../src/cli/output/print.ts';
import type { StoredFinding } from '../../../src/findings/types.ts';
import { readResults } from '../../../src/coordinator/delegate/read-results.ts';
import { createArchiveContext } from '../../../src/librarian/archive/context.ts';
import { adoptAllExternal } from '../../../src/findings/external/adopt.ts';
import { parseFinding } from '../../../src/findings/stored.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { createFindingStore } from '../../../src/findings/store.ts';
import { HaltError } from '../../../src/errors.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { compactParts, idsAsked, toReply } from '../../support/fleet/compaction.ts';
import { storeSessions } from '../../support/redis/store-findings.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { idsShown } from '../../support/models/scripted-archive.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';

const redis = useRedis();

const goodModel = () => createScriptedModel((request) => toReply(idsAsked(request)));
const liveCount = () => redis.redis.zcard(redis.keys.index);
const readText = async (id: string) => (await redis.redis.get(redis.keys.finding(id))) ?? '';
const readStoredJson = async (id: string) => JSON.parse(await readText(id)) as Record<string, unknown>;
const counter = async (name: string) => Number((await redis.redis.hget(redis.keys.counters, name)) ?? 0);

async function tokensOfLive(): Promise<number> {
  const { keys, redis: admin } = redis;
  const ids = await admin.zrange(keys.index, 0, '-1');
  const texts = await admin.mget(ids.map((id) => keys.finding(id)));
  return texts.reduce((sum, text) => sum + Math.ceil((text ?? '').length / 4), 0);
}

describe('a compaction', () => {
  it('does nothing and pays nothing at the limit', async () => {
    await storeSessions(redis, { old: 20 });
    const model = goodModel();
    expect(await compactIfNeeded(await compactParts(redis, model, { limit: 20 }))).toBe('not-needed');
    expect(model.calls).toHaveLength(0);
  });

  it('leaves nine tenths of the limit at most, the oldest sessions summed up, each by itself', async () => {
    await storeSessions(redis, { one: 60, two: 60, now: 30 });
    const model = goodModel();
    expect(await compactIfNeeded(await compactParts(redis, model, { limit: 100 }))).toBe('done');
    expect(await liveCount()).toBeLessThanOrEqual(90);
    for (const call of model.calls) {
      const sessions = new Set(idsAsked(call).map((id) => /finding_(\w+)-/.exec(id)?.[1]));
      expect(sessions.size).toBe(1);
    }
    expect(model.calls.map((call) => idsAsked(call).length)).toEqual([50, 10, 50]);
  });

  it('makes summaries that cite what they stand for, keep its session and topics, and come after it in time', async () => {
    await storeSessions(redis, { one: 12, now: 2 });
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }));
    const store = createFindingStore(redis.db);
    const [summary] = await store.list({ session: 'one' });
    expect(summary).toMatchObject({
      kind: 'summary',
      session: 'one',
      sessions: ['one'],
      topics: ['one'],
      at: new Date(12 * 3_600_000).toISOString(),
      citations: Array.from({ length: 12 }, (_, i) => `finding_one-${i + 1}`),
      prompt_version: 'condense-1',
    });
    expect(await redis.redis.zrange(redis.keys.index, 0, '-1')).toEqual([
      summary?.finding_id,
      'finding_now-1',
      'finding_now-2',
    ]);
  });

  it('leaves a condensed finding with the nine fields, and gives the original, marked, to whoever reads it', async () => {
    await storeSessions(redis, { one: 12 });
    const before = await readText('finding_one-3');
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }));
    const condensed = await readStoredJson('finding_one-3');
    expect(condensed).toMatchObject({
      finding_id: 'finding_one-3',
      worker_id: 'haiku_box_001',
      timestamp: '1970-01-02T00:00:00.000000',
      task: 'Task 3 of one',
      result: 'condensed',
      files_changed: [],
      citations: [],
      tokens_used: 300,
      cost: 0.0011,
      summary_id: expect.stringMatching(/^finding_/),
    });
    expect(await redis.redis.get(redis.keys.condensed('finding_one-3'))).toBe(before);
    const store = createFindingStore(redis.db);
    expect(await store.get('finding_one-3')).toEqual({
      ...(JSON.parse(before) as object),
      status: 'condensed',
      summary_id: condensed['summary_id'],
    });
    expect((await store.search('finding_one-3', { limit: 5 })).map(({ id }) => id)).toContain('finding_one-3');
  });

  it('keeps an older program’s hash as it is', async () => {
    await storeSessions(redis, { one: 8 });
    const fields = { task_id: 't', worker_id: 'w', timestamp: '1969-01-01T00:00:00', content: 'of old', ü: '7' };
    await redis.redis.hset(redis.keys.finding('old_hash'), fields);
    await redis.redis.hset(redis.keys.finding('old_hash_2'), {
      content: 'of old, too',
      timestamp: '1969-01-02T00:00:00',
    });
    await adoptAllExternal(redis.db);
    await redis.redis.hset(redis.keys.session, { name: 'later', explicit: '1', startedAt: new Date().toISOString() });
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 8 }));
    expect(await redis.redis.hgetall(redis.keys.condensed('old_hash'))).toEqual(fields);
    const store = createFindingStore(redis.db);
    expect(await store.get('old_hash')).toMatchObject({ result: 'of old', status: 'condensed' });
  });

  it('keeps the count of tokens at that of the live findings', async () => {
    await storeSessions(redis, { one: 30, now: 3 });
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 20 }));
    expect(Number(await redis.redis.get(redis.keys.contextActive))).toBe(await tokensOfLive());
  });

  it('tells the librarians: originals go, summaries come, without a look at the whole index', async () => {
    await storeSessions(redis, { one: 12, now: 2 });
    const context = createArchiveContext(redis.db);
    await context.refresh();
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }));
    await context.refresh();
    const { text } = await context.show({ question: 'What?', maxBytes: 1_000_000 });
    const summaryId = (await readStoredJson('finding_one-1'))['summary_id'];
    expect(idsShown({ prompt: text })).toEqual(['finding_now-1', 'finding_now-2', summaryId]);
    expect(context.stats().comparisons).toBe(1);
  });

  it('is not adopted back by the search for other programs’ findings', async () => {
    await storeSessions(redis, { one: 12 });
    const parts = await compactParts(redis, goodModel(), { limit: 10 });
    await compactIfNeeded(parts);
    expect(await adoptAllExternal(redis.db)).toBe(0);
    expect(await liveCount()).toBe(1);
  });

  it('touches nothing of the session in force, says so, and lets missions go on', async () => {
    await storeSessions(redis, { now: 30 });
    const model = goodModel();
    const parts = await compactParts(redis, model, { limit: 20 });
    expect(await compactIfNeeded(parts)).toBe('nothing-to-compact');
    expect(await liveCount()).toBe(30);
    expect(model.calls).toHaveLength(0);
    expect(parts.lines.join('\n')).toContain('session in force (now)');
    expect(await redis.redis.hgetall(redis.keys.compaction)).toMatchObject({ state: 'stuck', live: '30' });
  });

  it('reads a large archive of the session in force once a minute, not for each mission, and again for another session', async () => {
    await storeSessions(redis, { now: 30 });
    let atMs = Date.parse('2026-01-01T00:00:00Z');
    let session = 'now';
    const parts = {
      ...(await compactParts(redis, goodModel(), { limit: 20 })),
      now: () => new Date(atMs),
      currentSession: async () => session,
    };
    const reads = async (): Promise<number> => {
      await redis.redis.config('RESETSTAT');
      await compactIfNeeded(parts);
      return Number(/cmdstat_zmscore:calls=(\d+)/.exec(await redis.redis.info('commandstats'))?.[1] ?? 0);
    };
    expect(await reads()).toBeGreaterThan(0);
    atMs += 50_000;
    expect(await reads()).toBe(0);
    expect(parts.lines.filter((line) => line.includes('session in force (now)'))).toHaveLength(2);
    atMs += 50_000;
    expect(await reads()).toBeGreaterThan(0);
    session = 'next';
    await compactIfNeeded(parts);
    expect(await liveCount()).toBeLessThanOrEqual(20);
  });

  it('takes what other programs stored without a session for the session in which it was first seen', async () => {
    const store = async (session: string, ...hours: number[]) => {
      await redis.redis.hset(redis.keys.session, { name: session, explicit: '1' });
      for (const hour of hours) {
        const finding = { result: `hour ${hour}`, at: new Date(hour * 3_600_000).toISOString() };
        await redis.redis.set(redis.keys.finding(`theirs_${hour}`), JSON.stringify(finding));
      }
      await adoptAllExternal(redis.db);
    };
    await store('before', 98, 99);
    await store('now', 100, 101);
    const parts = await compactParts(redis, goodModel(), { limit: 2 });
    await compactIfNeeded(parts);
    expect(await readStoredJson('theirs_99')).toMatchObject({ result: 'condensed' });
    expect(await readStoredJson('theirs_100')).toMatchObject({ result: 'hour 100' });
  });

  it('passes over retracted findings and answers', async () => {
    await storeSessions(redis, { one: 14 });
    const parts = await compactParts(redis, goodModel(), { limit: 10 });
    await retractFinding(redis.db, { id: 'finding_one-2', why: 'wrong', by: 'test' });
    await redis.redis.set(redis.keys.finding('archive_q'), '{"result":"an answer","session":"one"}');
    await redis.redis.zadd(redis.keys.indexAnswers, 1, 'archive_q');
    await compactIfNeeded(parts);
    expect(await readStoredJson('finding_one-2')).toMatchObject({ status: 'retracted' });
    expect(await readText('archive_q')).toContain('an answer');
    expect(await readStoredJson('finding_one-1')).toMatchObject({ result: 'condensed' });
  });

  it('sums up summaries only once nothing else is left', async () => {
    await storeSessions(redis, { one: 30, two: 30, three: 30, now: 8 });
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }));
    expect(await liveCount()).toBe(9);
    const [top] = await redis.redis.zrange(redis.keys.index, 0, '0');
    expect(JSON.parse(await readText(top ?? ''))).toMatchObject({
      kind: 'summary',
      sessions: expect.arrayContaining(['one', 'two', 'three']),
    });
    expect(await redis.redis.zrange(redis.keys.indexBySession('two'), 0, '-1')).toEqual([top]);
  });
});

describe('a reply that is no summary', () => {
  const ids = (request: ModelRequest) => idsAsked(request);

  it.each([
    ['leaves one out', (request: ModelRequest) => toReply(ids(request).slice(1))],
    ['cites a stranger', (request: ModelRequest) => toReply([...ids(request), 'finding_stranger-1'])],
    ['is empty', (request: ModelRequest) => JSON.stringify({ summary: ' ', citations: ids(request) })],
    ['is no JSON', () => 'Here you are'],
  ])('because it %s is sent back once', async (_, bad) => {
    await storeSessions(redis, { one: 12 });
    const model = createScriptedModel((request, call) => (call === 1 ? bad(request) : toReply(ids(request))));
    expect(await compactIfNeeded(await compactParts(redis, model, { limit: 10 }))).toBe('done');
    expect(model.calls).toHaveLength(2);
    expect(await counter('compaction_refused')).toBe(0);
  });

  it('twice leaves its findings live, is counted and reported, and is not asked again today', async () => {
    await storeSessions(redis, { one: 60, two: 60 });
    const isBad = (request: ModelRequest) => ids(request).includes('finding_one-1');
    const model = createScriptedModel((request) => (isBad(request) ? '{}' : toReply(ids(request))));
    const parts = await compactParts(redis, model, { limit: 70 });
    expect(await compactIfNeeded(parts)).toBe('done');
    expect(await compactIfNeeded({ ...parts, limit: 50 })).toBe('nothing-to-compact');
    expect(model.calls.filter(isBad)).toHaveLength(2);
    expect(JSON.parse(await readText('finding_one-1'))).toMatchObject({ result: 'What one learned, part 1' });
    expect(await counter('compaction_refused')).toBe(1);
    expect(parts.lines.join('\n')).toContain('no summary of 50 findings from finding_one-1 on: condensation:');
    expect(await redis.redis.zscore(redis.keys.index, 'finding_one-50')).not.toBeNull();
  });
});

describe('a compaction that was interrupted', () => {
  it('goes on with the same pieces, and pays none again', async () => {
    await storeSessions(redis, { one: 120 });
    let halted = true;
    const model = createScriptedModel((request, call) => {
      if (halted && call > 1) throw Object.assign(new HaltError('stop'), { billed: 'no' });
      return toReply(idsAsked(request));
    });
    const parts = await compactParts(redis, model, { limit: 20 });
    await expect(compactIfNeeded(parts)).rejects.toThrow('stop');
    halted = false;
    await storeSessions(redis, { later: 10 }); // as if the archive had changed meanwhile
    expect(await compactIfNeeded(parts)).toBe('done');
    const asked = model.calls.map((call) => idsAsked(call).join(' '));
    const paid = Number(
      (await redis.redis.hgetall(redis.keys.ledger(new Date().toISOString().slice(0, 10))))[
        'now|||claude-haiku-5-5|coordinator_test_001|calls'
      ],
    );
    expect(paid).toBe(new Set(asked).size);
    expect(await redis.redis.hlen(redis.keys.compactionPieces)).toBe(0);
  });

  it('is left to the process that has the turn', async () => {
    await storeSessions(redis, { one: 30 });
    let answered: ((text: string) => void) | null = null;
    const held = createScriptedModel(() => new Promise<string>((resolve) => (answered = resolve)));
    const first = compactIfNeeded(await compactParts(redis, held, { limit: 10 }));
    await expect.poll(() => held.calls.length).toBe(1);
    expect(await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }))).toBe('busy');
    answered!(toReply(idsAsked(held.calls[0]!)));
    expect(await first).toBe('done');
  });

  it('drops a piece one of whose findings was retracted meanwhile, and condenses the rest', async () => {
    await storeSessions(redis, { one: 30 });
    const model = createScriptedModel(async (request, call) => {
      if (call === 1) await retractFinding(redis.db, { id: 'finding_one-4', why: 'x', by: 'y' });
      return toReply(idsAsked(request));
    });
    await compactIfNeeded(await compactParts(redis, model, { limit: 10 }));
    expect(await readStoredJson('finding_one-4')).toMatchObject({ status: 'retracted' });
    expect(await readStoredJson('finding_one-5')).toMatchObject({ result: 'What one learned, part 5' });
    expect(await counter('compaction_refused')).toBe(1);
  });
});

describe('a condensed finding', () => {
  it('that is retracted takes its summary with it; the others are live again', async () => {
    await storeSessions(redis, { one: 12, now: 1 });
    const parts = await compactParts(redis, goodModel(), { limit: 10 });
    const before = await readText('finding_one-5');
    await compactIfNeeded(parts);
    const summaryId = String((await readStoredJson('finding_one-5'))['summary_id']);

    const done = await retractFinding(redis.db, { id: 'finding_one-3', why: 'wrong', by: 'test' });

    expect(done.restored).toBe(11);
    expect(await readText('finding_one-5')).toBe(before);
    expect(await readStoredJson('finding_one-3')).toMatchObject({
      status: 'retracted',
      result: 'What one learned, part 3',
    });
    expect(await readStoredJson(summaryId)).toMatchObject({
      status: 'retracted',
      retracted: { why: 'it stands for finding_one-3, which was retracted: wrong' },
    });
    expect(await liveCount()).toBe(12);
    expect(await redis.redis.zcard(redis.keys.indexCondensed)).toBe(0);
    expect(await redis.redis.exists(redis.keys.condensed('finding_one-5'))).toBe(0);
    expect(Number(await redis.redis.get(redis.keys.contextActive))).toBe(await tokensOfLive());
  });

  it('comes back also out of a summary of summaries', async () => {
    await storeSessions(redis, { one: 30, two: 30 });
    const parts = await compactParts(redis, goodModel(), { limit: 1 });
    await compactIfNeeded(parts);
    expect(await liveCount()).toBe(1);
    await retractFinding(redis.db, { id: 'finding_two-3', why: 'wrong', by: 'test' });
    expect(await redis.redis.zscore(redis.keys.index, 'finding_two-4')).not.toBeNull();
    expect(await redis.redis.zscore(redis.keys.index, 'finding_two-3')).toBeNull();
    expect(await readStoredJson('finding_one-1')).toMatchObject({ result: 'condensed' });
  });

  it('is live again when its summary is retracted', async () => {
    await storeSessions(redis, { one: 12 });
    const parts = await compactParts(redis, goodModel(), { limit: 10 });
    await compactIfNeeded(parts);
    const [summaryId = ''] = await redis.redis.zrange(redis.keys.index, 0, '-1');
    expect(await retractFinding(redis.db, { id: summaryId, why: 'says too little', by: 'test' })).toMatchObject({
      id: summaryId,
      restored: 12,
    });
    expect(await liveCount()).toBe(12);
    expect(await redis.redis.hget(redis.keys.retracted, summaryId)).toContain('says too little');
  });

  it('is summed up anew once its summary was retracted and there are too many again', async () => {
    await storeSessions(redis, { one: 12 });
    const model = goodModel();
    const parts = await compactParts(redis, model, { limit: 10 });
    await compactIfNeeded(parts);
    const [first = ''] = await redis.redis.zrange(redis.keys.index, 0, '-1');
    await retractFinding(redis.db, { id: first, why: 'says too little', by: 'test' });

    expect(await compactIfNeeded(parts)).toBe('done');

    const [second = ''] = await redis.redis.zrange(redis.keys.index, 0, '-1');
    expect(second).not.toBe(first);
    expect(model.calls).toHaveLength(2);
    expect(await liveCount()).toBe(1);
    expect(await readStoredJson('finding_one-5')).toMatchObject({ result: 'condensed', summary_id: second });
    expect(await redis.redis.hlen(redis.keys.compactionPieces)).toBe(0);
  });

  it('may be cited by an answer, through the summary that names it', async () => {
    await storeSessions(redis, { one: 12, now: 2 });
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }));
    const context = createArchiveContext(redis.db);
    await context.refresh();
    const shown = await context.show({ question: 'What?', filter: { session: 'one' }, maxBytes: 1_000_000 });
    expect(shown.ids.size).toBe(1);
    expect([...shown.citable]).toContain('finding_one-7');
    expect(shown.text).toContain('[finding_one-7]');
  });
});

describe('work that refers to a condensed finding', () => {
  it('finds a batch as complete as before, its results whole', async () => {
    const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'what it found') });
    const tasks = Array.from({ length: 12 }, (_, i) => ({ description: `Do ${i}` }));
    const { ids } = await fleet.tasks.addMany(tasks, { batch: 'nightly' });
    for await (const end of fleet.tasks.ends(ids)) expect(end.state).toBe('completed');
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10, currentSession: async () => 'later' }));
    expect(await liveCount()).toBe(1);

    expect(await fleet.batch('nightly')).toMatchObject({ tasks: 12, completed: 12, failed: 0 });
    const again = await fleet.tasks.addMany(tasks, { batch: 'nightly' });
    expect(again).toMatchObject({ added: 0, existing: 12 });
    const listed = await fleet.findings.list({ batch: 'nightly' });
    expect(listed.map((finding) => [finding.result, finding.status])).toEqual(
      Array.from({ length: 12 }, () => ['what it found', 'condensed']),
    );
    const handle = await fleet.tasks.get(ids[0] ?? '');
    expect(await handle?.result()).toBe('what it found');
  });

  it('cannot have its id', async () => {
    await storeSessions(redis, { one: 12 });
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }));
    const fleet = await useFleet(redis);
    await expect(fleet.tasks.add({ description: 'x', finding_id: 'finding_one-3' })).rejects.toThrow(/is taken/);
  });

  it('is summed up by its mission from what it said, should the mission outlive its session', async () => {
    await storeSessions(redis, { one: 12 });
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }));
    const node = { n: 1, task: 'look', description: 'Look', kind: 'other', model: 'haiku', reason: null } as const;
    const view = { node: { ...node, files: [], dependsOn: [] }, state: 'done', findingId: 'finding_one-3' };
    const [result] = (await readResults(redis.db, [view as unknown as NodeView], null)).results;
    expect(result).toMatchObject({ findingId: 'finding_one-3', result: 'What one learned, part 3' });
  });
});

describe('a partial finding', () => {
  it('stays one when it is condensed or retracted, with its tool errors', async () => {
    await storeSessions(redis, { one: 12, now: 2 });
    const marks = {
      status: 'partial',
      tool_errors: { failed: 2, last: [{ tool: 'git', error: 'nothing to commit' }] },
    };
    for (const id of ['finding_one-3', 'finding_now-2']) {
      const stored = JSON.parse((await redis.redis.get(redis.keys.finding(id))) ?? '{}') as object;
      await redis.redis.set(redis.keys.finding(id), JSON.stringify({ ...stored, ...marks }));
    }
    await compactIfNeeded(await compactParts(redis, goodModel(), { limit: 10 }));
    await retractFinding(redis.db, { id: 'finding_now-2', why: 'wrong', by: 'ann' });
    const store = createFindingStore(redis.db);

    const condensed = await store.get('finding_one-3');
    expect(condensed).toMatchObject({ status: 'condensed', original_status: 'partial', tool_errors: { failed: 2 } });
    expect(toMarks(condensed as StoredFinding)).toBe('CONDENSED  PARTIAL  2 tool errors  ');
    const retracted = await store.get('finding_now-2');
    expect(toMarks(retracted as StoredFinding)).toBe('RETRACTED  PARTIAL  2 tool errors  ');

    const node = { n: 1, task: 'look', description: 'Look', kind: 'other', model: 'haiku', reason: null } as const;
    const view = { node: { ...node, files: [], dependsOn: [] }, state: 'done', findingId: 'finding_one-3' };
    const [result] = (await readResults(redis.db, [view as unknown as NodeView], null)).results;
    expect(result?.result).toBe(
      'Partial: its worker ran out of turns, and reported what it had.\n2 of its tool calls failed, last: git: nothing to commit\nWhat one learned, part 3',
    );
  });

  it('is summed up as one, also if its result is cut', () => {
    const text = JSON.stringify({ task: 'Count', result: 'line '.repeat(5_000), status: 'partial' });
    const finding = parseFinding('finding_p', text);
    if (finding === null) throw new Error('expected a finding');
    expect(toPromptBlock(finding)).toContain(
      'Count\nPartial: its worker ran out of turns, and reported what it had.\nline ',
    );
  });

  it('is given to the answer of its mission as one', async () => {
    const partial = { finding_id: 'finding_p', result: { lines: 7 }, status: 'partial' };
    await redis.redis.set(redis.keys.finding('finding_p'), JSON.stringify(partial));
    const node = { n: 1, task: 'look', description: 'Look', kind: 'other', model: 'haiku', reason: null } as const;
    const view = { node: { ...node, files: [], dependsOn: [] }, state: 'done', findingId: 'finding_p' };
    const [result] = (await readResults(redis.db, [view as unknown as NodeView], null)).results;
    expect(result?.result).toBe('Partial: its worker ran out of turns, and reported what it had.\n{"lines":7}');
  });
});
