import { expect, test } from 'vitest';
import { compactIfNeeded } from '../../../src/coordinator/compact/compact.ts';
import { adoptAllExternal } from '../../../src/findings/external/adopt.ts';
import { eachStored } from '../../../src/findings/iterate.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { createFindingStore } from '../../../src/findings/store.ts';
import { fromExportLine, toExportLine } from '../../../src/findings/transfer/export-line.ts';
import { createArchiveContext } from '../../../src/librarian/archive/context.ts';
import { compactParts, idsAsked, toReply } from '../../support/fleet/compaction.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { storeExternal, storeSessions } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const LARGE = 'tea '.repeat(2_500_000);
const MANY = Array.from({ length: 100_000 }, (_, i) => `finding_${i}`);
/** What other programs may leave as a finding, as text. */
const TEXTS: Record<string, string> = {
  prototype:
    '{"__proto__":{"result":"no","at":"1999-01-01T00:00:00Z"},"constructor":{"prototype":{"a":1}},"result":{"__proto__":{"a":1},"tea":1}}',
  halves: String.raw`{"result":"\ud800 tea","summary":"\udfff","topics":["\udc00"]}`,
  nul: String.raw`{"result":"tea\u0000\u001b[2J","session":"s\u0000","topics":["\u0000"],"task":"\u0000"}`,
  large: JSON.stringify({ result: LARGE, summary: LARGE, task: LARGE.slice(0, 1_000) }),
  cites: JSON.stringify({ result: 'cites much', citations: MANY, files_changed: MANY, topics: MANY }),
  wide: JSON.stringify({ result: Object.fromEntries(MANY.map((name) => [name, 1])) }),
  deep: `{"result":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},"citations":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  wrong:
    '{"finding_id":7,"at":{},"timestamp":[],"task":{},"summary":[1],"session":{"a":1},"citations":"x","topics":{"a":1},"cost":"x","tokens_used":"y","usage":[],"tool_errors":{"failed":"x"},"changes":{"a":1},"result":null}',
  late: '{"result":"tea","at":"+275760-09-13T00:00:00.000Z","cost":1e999}',
  early: '{"result":"tea","at":"-271821-04-20T00:00:00.000Z","cost":-1}',
  empty: '{}',
};
/** The same as hashes. */
const HASHES: Record<string, Record<string, string>> = {
  'hash-prototype': { __proto__x: '1', constructor: '{"a":1}', content: 'tea', toString: 'x' },
  'hash-large': { content: LARGE, timestamp: 'no time' },
  'hash-nul': { content: 'tea\0', '': 'x', task_id: '\0' },
};
/** Odd ids of good findings. */
const IDS = ['__proto__', 'constructor', 'ünï 💥 x', 'a b', '*?[x]', 'a:b:c', 'x'.repeat(3_000), '../etc', '"quoted"'];

async function storeOdd(): Promise<string[]> {
  const ids = IDS.map((id): [string, string] => [id, '{"result":"tea of an odd id"}']);
  await storeExternal(redis, { ...TEXTS, plain: '{"result":"tea is sold"}' });
  for (const [id, text] of ids) await redis.redis.set(redis.keys.finding(id), text);
  for (const [id, fields] of Object.entries(HASHES)) await redis.redis.hset(redis.keys.finding(id), fields);
  await redis.redis.hset(redis.keys.finding('hash-prototype'), '__proto__', '{"result":"no"}');
  await adoptAllExternal(redis.db);
  return ['plain', ...Object.keys(TEXTS), ...Object.keys(HASHES), ...IDS];
}

test(
  'odd findings of other programs hide no other, in lists, searches, questions and exports',
  { timeout: 60_000 },
  async () => {
    const ids = await storeOdd();
    const store = createFindingStore(redis.db);
    const listed = await store.list({ limit: 1_000 });
    expect(new Set(listed.map((one) => one.finding_id))).toEqual(new Set(ids));
    expect(Reflect.get({}, 'a')).toBeUndefined();
    const found = (await store.list({ text: 'tea is sold' })).map((one) => one.finding_id);
    expect(found).toContain('plain');

    const context = createArchiveContext(redis.db);
    await context.refresh();
    const shown = await context.show({ question: 'What is sold?', maxBytes: 400_000 });
    expect(shown.text).toContain('tea is sold');
    expect(shown.text.length).toBeLessThan(450_000);

    const lines: string[] = [];
    for await (const one of eachStored(redis.db, {})) lines.push(toExportLine(one));
    expect(lines).toHaveLength(ids.length);
    const unread = lines.filter((line) => {
      try {
        fromExportLine(line);
        return false;
      } catch (error) {
        return !/expected/.test(String(error));
      }
    });
    expect(unread.map((line) => line.slice(0, 100))).toEqual([]);
    for (const id of ids) await retractFinding(redis.db, { id, why: 'odd', by: 'a test' });
  },
);

test('the dashboard shows each of them, and all of them', { timeout: 60_000 }, async () => {
  const ids = await storeOdd();
  const dashboard = await startDashboard(redis);
  for (const path of ['/api/findings', '/api/findings?text=tea', '/api/status', '/metrics', '/findings']) {
    const response = await dashboard.ask(path);
    const text = await response.text();
    expect([path, response.status]).toEqual([path, 200]);
    expect([path, text.length > 2_000_000]).toEqual([path, false]);
  }
  for (const id of ids) {
    const response = await dashboard.ask(`/api/findings/${encodeURIComponent(id)}`);
    const text = await response.text();
    expect([id.slice(0, 20), response.status]).toEqual([id.slice(0, 20), 200]);
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  }
});

test('a compaction sums up what it can, and ends', { timeout: 60_000 }, async () => {
  await storeOdd();
  await storeSessions(redis, { now: 10 });
  const model = createScriptedModel((request) => toReply(idsAsked(request)));
  const parts = await compactParts(redis, model, { limit: 20 });
  expect(await compactIfNeeded(parts)).toBe('done');
  for (const call of model.calls) expect(JSON.stringify(call.messages).length).toBeLessThan(2_000_000);
});
