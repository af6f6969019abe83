import { expect, test } from 'vitest';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive, idsShown } from '../../support/models/scripted-archive.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const HOUSE = 'The house sells tea.\nTea comes in 40 crates.\nRum comes in 3 barrels.\n';

test('an answer cites lines of the document and findings of its memory shard, and keeps the version', async () => {
  await storeFindings(redis, {
    finding_house: { task: 'Who?', result: 'Ann counts the tea', shard: 'house' },
    finding_other: { task: 'Who?', result: 'Bob counts the tea', shard: 'other' },
    finding_open: { task: 'Who?', result: 'Eve counts the tea' },
  });
  const archive = createScriptedArchive((call) => ({
    answer: '40 crates [context:house#2]; Ann counts [finding_house, context:house#1-3].',
    citations: idsShown(call),
  }));
  const fleet = await useFleet(redis, { librarian: archive });
  const { sha256 } = await fleet.contexts.load('house', HOUSE);
  const query = await fleet.ask('How much tea?', { context: 'house' });
  const answer = await query.finding();
  expect(answer).toMatchObject({
    shard: 'house',
    citations: ['finding_house', 'context:house#2', 'context:house#1-3'],
    context: { findings: 1, document: { name: 'house', sha256, lines: 3, shown: [[1, 3]], leftOut: 0 } },
  });
  const [call] = archive.calls;
  expect(call?.prompt).toContain('<document name="house" lines="3">\n1: The house sells tea.\n2: Tea comes');
  expect(idsShown(call ?? { prompt: '' })).toEqual(['finding_house']);
});

test.each(['context:house#4', 'context:house#0', 'context:house#3-2', 'context:house#1-9', 'context:barn#1'])(
  'an answer that cites %s, which was not shown, is refused',
  async (cited) => {
    const archive = createScriptedArchive(() => ({ answer: `Tea [${cited}].`, citations: [] }));
    const fleet = await useFleet(redis, { librarian: archive });
    await fleet.contexts.load('house', HOUSE);
    const query = await fleet.ask('How much tea?', { context: 'house' });
    await expect(query.finding()).rejects.toThrow(/citations: the answer cites what it was not shown/);
  },
);

test('a document beyond the prompt is shown in part, by what the question asks, and the answer says so', async () => {
  const lines = Array.from({ length: 60_000 }, (_, i) =>
    i === 41_234 ? 'The zanzibar crate is blue.' : `row ${i} of tea`,
  );
  const archive = createScriptedArchive(() => ({ answer: 'Blue [context:house#41235].', citations: [] }));
  const fleet = await useFleet(redis, { librarian: archive });
  await fleet.contexts.load('house', `${lines.join('\n')}\n${'x'.repeat(3_000_000)}`);
  const answer = await (await fleet.ask('Which colour is the zanzibar crate?', { context: 'house' })).finding();
  expect(answer.result).toMatch(/\(Of context house, [\d,]+ of 60,001 lines fitted/);
  const [call] = archive.calls;
  expect(call?.prompt).toContain('41235: The zanzibar crate is blue.\n');
  expect(call?.prompt).toMatch(/\[lines \d+-\d+ left out\]/);
}, 60_000);

test('what says nothing is NOT IN ARCHIVE; what is not there, or of another shard, is named at once', async () => {
  const archive = createScriptedArchive(() => ({ answer: 'NOT IN ARCHIVE', citations: [] }));
  const fleet = await useFleet(redis, { librarian: archive });
  await fleet.contexts.load('house', HOUSE);
  expect(await (await fleet.ask('How much gin?', { context: 'house' })).result()).toBe('NOT IN ARCHIVE');
  await expect(fleet.ask('Tea?', { context: 'barn' })).rejects.toThrow(/context barn: there is none/);
  await expect(fleet.ask('Tea?', { context: 'house', shard: 'barn' })).rejects.toThrow(/leave out the shard/);
});
