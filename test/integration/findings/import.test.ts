import { describe, expect, it } from 'vitest';
import { compactIfNeeded } from '../../../src/coordinator/compact/compact.ts';
import { adoptAllExternal } from '../../../src/findings/external/adopt.ts';
import { eachStored } from '../../../src/findings/iterate.ts';
import { toExportLine } from '../../../src/findings/transfer/export-line.ts';
import { importFindings } from '../../../src/findings/transfer/import.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { createFindingStore } from '../../../src/findings/store.ts';
import type { FindingQuery } from '../../../src/findings/types.ts';
import { parseFinding } from '../../../src/findings/stored.ts';
import { createArchiveContext } from '../../../src/librarian/archive/context.ts';
import { createDb } from '../../../src/redis/db.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import { compactParts, idsAsked, toReply } from '../../support/fleet/compaction.ts';
import { storeExternal, storeSessions } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { parseExact } from '../../../src/text/exact-json.ts';

const redis = useRedis();

/** Another swarm on the same Redis. */
const otherKeys = (): Keys => createKeys(`${redis.swarm}-other`);

async function exportLines(keys: Keys, query: FindingQuery = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const found of eachStored(createDb(redis.redis, keys.swarm), query)) lines.push(toExportLine(found));
  return lines;
}

async function importLines(keys: Keys, lines: readonly (string | Buffer)[]) {
  const db = createDb(await redis.connect(), keys.swarm);
  const bad: [number, string][] = [];
  async function* chunks() {
    for (const line of lines) yield Buffer.concat([Buffer.from(line), Buffer.from('\n')]);
  }
  const counts = await importFindings(db, chunks(), {
    onBad: (number, problem) => bad.push([number, problem]),
  });
  return { ...counts, problems: bad };
}

/** Every key and value of a swarm, by the key's name without the swarm. */
async function dump(keys: Keys): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  const found = await redis.redis.keys(`${keys.bullPrefix}:*`);
  for (const key of found.sort()) {
    const name = key.slice(keys.bullPrefix.length + 1);
    const type = await redis.redis.type(key);
    if (type === 'string') all[name] = await redis.redis.get(key);
    if (type === 'hash') all[name] = await redis.redis.hgetall(key);
    if (type === 'zset') all[name] = (await redis.redis.zrange(key, 0, '-1', 'WITHSCORES')).join(' ');
  }
  return all;
}

/** Live, external, retracted and condensed findings, an older program's hash, answers. */
async function fillArchive(): Promise<void> {
  await storeSessions(redis, { one: 30, two: 3 });
  await storeExternal(redis, {
    six: '{ "task_id": "t", "worker_id": "w", "timestamp": "1970-01-03T10:15:00",\n  "result": "six fields", "cost": 1.50 }',
    big: '{"finding_id":"another","result":12345678901234567890,"at":"1971-01-01T00:00:00Z"}',
    marked: '{"result":"has a field of that name","_fleet":{"place":"answer"},"session":"two","batch":"nightly"}',
    archive_q: '{"result":"an answer of before","session":"one"}',
  });
  const { keys } = redis;
  await redis.redis.hset(keys.finding('hash'), {
    task_id: 't',
    content: 'of old',
    7: 'seven',
    timestamp: '1970-01-01T00:00:00',
  });
  await redis.redis.hset(keys.finding('hash_2'), { content: 'live still', timestamp: '1972-01-01T00:00:00' });
  const model = createScriptedModel((request) => toReply(idsAsked(request)));
  const parts = await compactParts(redis, model, { limit: 30, currentSession: async () => 'two' });
  await adoptAllExternal(redis.db);
  await retractFinding(redis.db, { id: 'finding_two-2', why: 'measured the wrong "host"', by: 'ann' });
  await compactIfNeeded({ ...parts, limit: 22 });
}

describe('an export', () => {
  it('brought into an empty swarm is the same archive, to the byte', async () => {
    await fillArchive();
    const lines = await exportLines(redis.keys);
    const counts = await importLines(otherKeys(), lines);
    expect(counts).toMatchObject({ imported: lines.length, known: 0, bad: 0 });

    const kept = (all: Record<string, unknown>) =>
      Object.fromEntries(
        Object.entries(all).filter(([name]) => /^(finding|condensed|index|retracted$|context:active)/.test(name)),
      );
    expect(kept(await dump(otherKeys()))).toEqual(kept(await dump(redis.keys)));
    expect(await exportLines(otherKeys())).toEqual(lines);
  });

  it('holds everything once, oldest first: condensed, retracted and old ones, and answers', async () => {
    await fillArchive();
    const found = (await exportLines(redis.keys)).map((line) => JSON.parse(line) as { finding_id: string; at: string });
    const ids = found.map(({ finding_id: id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const { keys, redis: admin } = redis;
    const summaries = (await admin.zrange(keys.index, 0, '-1')).filter((id) => /^finding_[0-9a-f]{16}$/.test(id));
    expect(summaries.length).toBeGreaterThan(0);
    expect(new Set(ids)).toEqual(
      new Set([
        ...Array.from({ length: 30 }, (_, i) => `finding_one-${i + 1}`),
        'finding_two-1',
        'finding_two-2',
        'finding_two-3',
        'six',
        'big',
        'marked',
        'archive_q',
        'hash',
        'hash_2',
        ...summaries,
      ]),
    );
    const times = found.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('has lines that readers of findings understand: the finding as it is read, nothing before it', async () => {
    await fillArchive();
    for (const line of await exportLines(redis.keys)) {
      const { _fleet, ...finding } = parseExact(line) as Record<string, unknown>;
      const id = String(finding['finding_id']);
      const stored = (await redis.redis.get(redis.keys.condensed(id)).catch(() => null)) ?? null;
      if (_fleet === undefined) expect(await redis.redis.get(redis.keys.finding(id))).toBe(line);
      if (stored !== null) expect(finding).toEqual(parseFinding(id, stored));
    }
  });

  it('of one session or batch holds what belongs to it, condensed or not', async () => {
    await fillArchive();
    const ids = async (query: FindingQuery) =>
      (await exportLines(redis.keys, query)).map((line) => (JSON.parse(line) as { finding_id: string }).finding_id);
    const one = await ids({ session: 'one' });
    expect(one).toEqual(expect.arrayContaining(['archive_q', 'finding_one-1', 'finding_one-30']));
    expect(one.filter((id) => id.startsWith('finding_two'))).toEqual([]);
    expect(await ids({ session: 'two' })).toEqual(['finding_two-1', 'finding_two-2', 'finding_two-3', 'marked']);
    expect(await ids({ batch: 'nightly' })).toEqual(['marked']);
    expect(await ids({ answers: true })).toEqual(['archive_q']);
    expect(await ids({ limit: 2 })).toHaveLength(2);
  });

  it('walks over many findings of the very same time, and loses none', async () => {
    const { keys, redis: admin } = redis;
    const chain = admin.pipeline();
    for (let n = 0; n < 2_300; n += 1) {
      const index = n % 3 === 0 ? keys.indexCondensed : keys.index;
      chain.set(keys.finding(`f${n}`), `{"result":${n}}`).zadd(index, n < 1_700 ? 0 : 5, `f${n}`);
    }
    await chain.exec();
    const lines = await exportLines(keys);
    expect(new Set(lines.map((line) => (JSON.parse(line) as { finding_id: string }).finding_id)).size).toBe(2_300);
    expect(lines).toHaveLength(2_300);
  });
});

describe('an import', () => {
  const plain = (id: string, more: object = {}) =>
    JSON.stringify({ finding_id: id, result: `of ${id}`, at: '2026-01-01T00:00:00.000Z', session: 's', ...more });

  it('leaves alone what has the same id, and can come again', async () => {
    const keys = otherKeys();
    await redis.redis.set(keys.finding('b'), '{"result":"mine"}');
    expect(await importLines(keys, [plain('a'), plain('b'), plain('a')])).toMatchObject({ imported: 1, known: 2 });
    expect(await importLines(keys, [plain('a'), plain('b')])).toMatchObject({ imported: 0, known: 2 });
    expect(await redis.redis.get(keys.finding('b'))).toBe('{"result":"mine"}');
    expect(await redis.redis.zcard(keys.index)).toBe(1);
  });

  it('counts tokens, sessions, batches and events as if the findings were recorded here', async () => {
    const keys = otherKeys();
    await redis.redis.hset(keys.session, 'name', 'now', 'startedAt', '2026-02-01T00:00:00Z', 'findings', 0);
    const context = createArchiveContext(createDb(redis.redis, keys.swarm));
    await context.refresh();
    const later = plain('later', { at: '2026-03-01T00:00:00.000Z', batch: 'nightly', topics: ['tea'] });
    await importLines(keys, [plain('a'), later]);
    await context.refresh();
    expect(context.stats()).toMatchObject({ findings: 2, comparisons: 1 });
    const { redis: admin } = redis;
    expect(await admin.get(keys.contextActive)).toBe(
      String(Math.ceil(plain('a').length / 4) + Math.ceil(later.length / 4)),
    );
    expect(await admin.zrange(keys.indexByBatch('nightly'), 0, '-1')).toEqual(['later']);
    expect(await admin.zrange(keys.indexBySession('s'), 0, '-1')).toEqual(['a', 'later']);
    expect(await admin.hget(keys.session, 'findings')).toBe('1');
    expect(await admin.hget(keys.counters, 'imported')).toBe('2');
    expect(
      (await createFindingStore(createDb(admin, keys.swarm)).list({ batch: 'nightly' })).map(
        (found) => found.finding_id,
      ),
    ).toEqual(['later']);
  });

  it.each([
    ['no JSON', '{"finding_id":"x"', /expected JSON/],
    ['no object', '[1]', /expected a finding as a JSON object/],
    ['no id', '{"result":"x"}', /finding_id: expected/],
    ['an empty id', '{"finding_id":""}', /finding_id: expected/],
    ['a place that is none', '{"finding_id":"x","_fleet":{"place":"moon"}}', /_fleet: /],
    ['a stub that is missing', '{"finding_id":"x","_fleet":{"place":"condensed"}}', /stub/],
    ['a hash without fields', '{"finding_id":"x","_fleet":{"hash":[]}}', /hash/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /UTF-8/],
  ])('names the line with %s, and stores the others', async (_, line, problem) => {
    const keys = otherKeys();
    const counts = await importLines(keys, [plain('a'), '', line, plain('b')]);
    expect(counts).toMatchObject({ read: 3, imported: 2, bad: 1 });
    expect(counts.problems).toEqual([[3, expect.stringMatching(problem)]]);
  });

  it('takes a line a person has edited as it reads now', async () => {
    await fillArchive();
    const line = (await exportLines(redis.keys)).find((text) => text.startsWith('{"finding_id":"finding_one-')) ?? '';
    const edited = JSON.stringify({ ...(JSON.parse(line) as object), summary: 'shorter' });
    const keys = otherKeys();
    await importLines(keys, [edited]);
    const { finding_id: id } = JSON.parse(line) as { finding_id: string };
    const { _fleet, ...rest } = JSON.parse(edited) as Record<string, unknown>;
    expect(_fleet).toBeDefined();
    expect(JSON.parse((await redis.redis.get(keys.condensed(id))) ?? '')).toEqual(rest);
  });

  it('reads what an earlier version exported', async () => {
    const keys = otherKeys();
    const line =
      '{"task":"t","result":"r","finding_id":"old","at":"1970-01-01T00:00:00.000Z","citations":[],"files_changed":[],"topics":[]}';
    expect(await importLines(keys, [line])).toMatchObject({ imported: 1 });
    expect(await redis.redis.get(keys.finding('old'))).toBe(line);
  });

  it('holds no more than its chunk in memory', async () => {
    const db = createDb(await redis.connect(), otherKeys().swarm);
    let given = 0;
    let stored = 0;
    let mostAhead = 0;
    async function* chunks() {
      for (; given < 20_000; given += 1) {
        mostAhead = Math.max(mostAhead, given - stored);
        yield `${plain(`f${given}`)}\n`;
      }
    }
    const counts = await importFindings(db, chunks(), {
      onBad: () => undefined,
      onProgress: ({ imported }) => (stored = imported),
    });
    expect(counts).toMatchObject({ imported: 20_000 });
    expect(mostAhead).toBeLessThanOrEqual(501);
  });
});
