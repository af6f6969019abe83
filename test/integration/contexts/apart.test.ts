import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { compactIfNeeded } from '../../../src/coordinator/compact/compact.ts';
import { UsageError } from '../../../src/errors.ts';
import { adoptAllExternal } from '../../../src/findings/external/adopt.ts';
import { eachStored } from '../../../src/findings/iterate.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { toExportLine } from '../../../src/findings/transfer/export-line.ts';
import { importFindings } from '../../../src/findings/transfer/import.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { compactParts, idsAsked, toReply } from '../../support/fleet/compaction.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createMissionModel, titleOf } from '../../support/models/mission-model.ts';
import { createScriptedArchive, idsShown } from '../../support/models/scripted-archive.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { storeExternal, storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** Two shards of one kind, and work without one. Each text of one holds its own word. */
const OWNERS = ['north', 'south', 'open'] as const;
type OwnerName = (typeof OWNERS)[number];
const stamp = (owner: OwnerName): { shard?: string } => (owner === 'open' ? {} : { shard: owner });
const wordsIn = (text: string): string[] => [...new Set(text.match(/secret-\w+/g))].sort();

/** Old findings of one session, in turn: `old-1` is of north, `old-2` of south, `old-3` of none. */
async function storeOld(count: number): Promise<void> {
  for (let i = 1; i <= count; i += 1) {
    const owner = OWNERS[(i - 1) % OWNERS.length] ?? 'open';
    await storeFindings(redis, {
      [`finding_old-${i}`]: {
        ...stamp(owner),
        task: 'What of tea?',
        result: `secret-${owner} tea ${i}`,
        summary: `secret-${owner}`,
        session: 'old',
        at: new Date(i * 3_600_000).toISOString(),
        topics: ['tea'],
      },
    });
  }
}

/** A worker that asks for everything it can, and says what it was given. */
function greedy(request: ModelRequest): Step {
  const said = JSON.stringify(request.messages);
  if (request.messages.length > 1) return `I know ${wordsIn(said).join(' ')}`;
  const ids = Array.from({ length: 9 }, (_, i) => `finding_old-${i + 1}`);
  return {
    tools: [
      { name: 'findings', input: { action: 'search', query: 'secret tea' } },
      { name: 'findings', input: { action: 'get', ids } },
      { name: 'ask_archive', input: { question: 'What of tea?' } },
    ],
  };
}

test('tasks, questions, missions and compaction at once show each memory shard only its own findings', async () => {
  const random = createRandom(takeSeed('memory shards apart'));
  await storeOld(36);
  const mixed: string[] = [];
  const watch = (what: string, text: string): void => {
    if (wordsIn(text).length > 1) mixed.push(`${what}: ${wordsIn(text).join(' ')}`);
  };
  const model = createMissionModel([{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b'] }], {
    task: greedy,
  });
  const worker = createScriptedModel(async (request) => {
    watch(titleOf(request) || 'task', JSON.stringify(request.messages));
    const reply = await model.call(request, { signal: AbortSignal.timeout(10_000) });
    const [block] = reply.content;
    return block?.type === 'text'
      ? block.text
      : { tools: reply.content.filter((one) => one.type === 'tool_use') as never };
  });
  const librarian = createScriptedArchive((call) => {
    watch('question', call.prompt);
    const ids = idsShown(call).slice(0, 3);
    return { answer: `${wordsIn(call.prompt).join(' ')} [${ids.join(', ')}]`, citations: ids };
  });
  const fleet = await useFleet(redis, { haiku: worker, coordinator: worker, librarian });
  const summaries = createScriptedModel((request) => {
    const text = JSON.stringify(request.messages);
    watch('summary', text);
    const ids = idsAsked(request);
    return JSON.stringify({
      summary: `${wordsIn(text).join(' ')} ${ids.map((id) => `[${id}]`).join(' ')}`,
      citations: ids,
    });
  });

  const work: { owner: OwnerName; kind: string; ends: Promise<unknown> }[] = [];
  for (let i = 0; i < 18; i += 1) {
    const owner = OWNERS[random(0, 2)] ?? 'open';
    const kind = i < 3 ? 'mission' : random(0, 1) === 0 ? 'task' : 'question';
    const own = i < 3 ? (OWNERS[i] ?? 'open') : owner;
    const handle =
      kind === 'mission'
        ? await fleet.missions.add({ goal: 'What of tea?', ...stamp(own) })
        : kind === 'task'
          ? await fleet.tasks.add({ description: 'What of tea?', ...stamp(own) })
          : await fleet.ask('What of tea?', stamp(own));
    work.push({ owner: own, kind, ends: handle.finding({ timeoutMs: 40_000 }) });
  }
  const compaction = compactIfNeeded(await compactParts(redis, summaries, { limit: 10 }));
  const findings = await Promise.all(work.map(async ({ ends, ...of }) => ({ ...of, finding: await ends })));
  await compaction;

  for (const { owner, kind, finding } of findings) {
    const words = kind === 'mission' ? [] : [`secret-${owner}`]; // an answer of a mission cites, and says nothing itself
    expect({ owner, kind, words: wordsIn(JSON.stringify(finding)) }).toEqual({ owner, kind, words });
  }
  expect(mixed).toEqual([]);
  let summaryCount = 0;
  for await (const finding of fleet.findings.each({ limit: Infinity })) {
    const owner = finding.shard ?? 'open';
    expect(wordsIn(JSON.stringify(finding)).filter((word) => word !== `secret-${owner}`)).toEqual([]);
    if (finding.kind === 'summary') summaryCount += 1;
  }
  expect(summaryCount).toBeGreaterThanOrEqual(3);
  for (const owner of OWNERS) {
    const own = await fleet.findings.list({ shard: owner === 'open' ? null : owner, limit: 1_000 });
    expect(new Set(own.map(({ shard }) => shard ?? 'open'))).toEqual(new Set([owner]));
  }
}, 60_000);

test('an id that another memory shard has is refused, and its finding is not given', async () => {
  const model = createScriptedModel(() => 'secret-north');
  const archive = createScriptedArchive((call) => ({ answer: `[${idsShown(call)[0]}]`, citations: idsShown(call) }));
  const fleet = await useFleet(redis, { haiku: model, librarian: archive });
  const task = { description: 'What of tea?', shard: 'north' };
  await (await fleet.tasks.add(task, { taskId: 't-1' })).finding();
  await fleet.tasks.addMany([task], { batch: 'night' });
  await (await fleet.ask('What of tea?', { shard: 'north', queryId: 'q-1' })).finding();

  for (const own of [{ shard: 'south' }, {}]) {
    const foreign = /belongs to another memory shard/;
    const { shard: _shard, ...plain } = task;
    await expect(fleet.tasks.add({ ...plain, ...own }, { taskId: 't-1' })).rejects.toThrow(foreign);
    const report = await fleet.tasks.addMany([{ ...plain, ...own }], { batch: 'night' });
    expect(report).toMatchObject({ ids: [], invalid: 1, problems: [{ message: expect.stringMatching(foreign) }] });
    await expect(fleet.ask('What of tea?', { queryId: 'q-1', ...own })).rejects.toThrow(UsageError);
  }
  expect(await fleet.tasks.add(task, { taskId: 't-1' })).toMatchObject({ added: false });

  await fleet.queue.obliterate({ force: true }); // the finding alone is left
  await expect(fleet.tasks.add({ ...task, shard: 'south' }, { taskId: 't-1' })).rejects.toThrow(UsageError);
});

test('the index of a memory shard has its findings through summaries, retractions and transfers', async () => {
  await storeOld(36);
  const fleet = await useFleet(redis);
  const { db } = fleet.inner;
  const indexed = (of = db): Promise<string[]> => of.redis.zrange(of.keys.indexByShard('north'), 0, '-1');
  expect(await indexed()).toHaveLength(12);
  const model = createScriptedModel((request) => toReply(idsAsked(request)));
  await compactIfNeeded(await compactParts(redis, model, { limit: 10 }));
  const [summary = ''] = await indexed();
  expect(await indexed()).toHaveLength(1);
  expect((await fleet.findings.get(summary))?.shard).toBe('north');

  await retractFinding(db, { id: 'finding_old-4', why: 'wrong', by: 'a person' });
  expect(await indexed()).toHaveLength(13); // the summary, marked, and its findings, live again but for one
  const lines: string[] = [];
  for await (const found of eachStored(db, { shard: 'north' })) lines.push(`${toExportLine(found)}\n`);
  expect(lines).toHaveLength(13);

  await db.redis.del(db.keys.indexByShard('north'), ...(await indexed()).map((id) => db.keys.finding(id)));
  await db.redis.del(db.keys.retracted, db.keys.indexCondensed);
  await importFindings(db, Readable.from(lines), { onBad: (_, problem) => expect.fail(problem) });
  expect(await indexed()).toHaveLength(13);
  expect(await fleet.shard('north')).toMatchObject({ shard: 'north', findings: 13, context: null });
  await expect(fleet.shard('west')).rejects.toThrow(/memory shard west/);
});

test('a finding that another program stores with a shard belongs to it', async () => {
  const fleet = await useFleet(redis);
  await storeExternal(redis, { finding_x: { result: 'secret-north', shard: 'north', at: new Date(0).toISOString() } });
  await adoptAllExternal(fleet.inner.db);
  expect(await fleet.findings.list({ shard: 'north' })).toMatchObject([{ finding_id: 'finding_x' }]);
  expect(await fleet.findings.list({ shard: null })).toEqual([]);
});
