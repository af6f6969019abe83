import { describe, expect, test } from 'vitest';
import { retractFinding } from '../../../src/findings/retract.ts';
import { createArchivePrompts } from '../../../src/librarian/answer/archive-prompts.ts';
import { createArchiveAcross } from '../../../src/librarian/archive/across.ts';
import { createArchiveContext } from '../../../src/librarian/archive/context.ts';
import { createTokenEstimate } from '../../../src/librarian/archive/token-estimate.ts';
import { openOtherSwarms } from '../../../src/other-swarms/open-other-swarms.ts';
import { testConfig } from '../../support/fleet/test-config.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive, idsShown, type ScriptedArchive } from '../../support/models/scripted-archive.ts';
import { addSwarm } from '../../support/redis/second-swarm.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { startTcpLink } from '../../support/redis/tcp-link.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const elsewhere = useRedis();
const redis = useRedis(); // last: its cleanups run first

/** Answers with all that it is shown. */
const citeAll = (): ScriptedArchive =>
  createScriptedArchive((call) => {
    const ids = idsShown(call);
    return { answer: ids.map((id) => `[${id}]`).join(' '), citations: ids };
  });

async function openWith({
  archive = citeAll(),
  env = {},
}: { archive?: ScriptedArchive; env?: Record<string, string> } = {}) {
  const ops = await addSwarm(redis);
  await ops.share(redis.swarm);
  await storeFindings(redis, { finding_own: { result: 'ours', session: 's1' } });
  await storeFindings(ops, {
    finding_1: { result: 'of ops', session: 's1' },
    finding_2: { result: 'too', session: 's2' },
  });
  const fleet = await useFleet(redis, { env: { FLEET_READ_SWARMS: ops.swarm, ...env }, librarian: archive });
  const ask = async (swarm?: string, filter: object = {}) =>
    (await fleet.ask('What is known?', { filter: { ...filter, ...(swarm === undefined ? {} : { swarm }) } })).finding();
  return { ops, fleet, ask, archive, one: `${ops.swarm}/finding_1`, two: `${ops.swarm}/finding_2` };
}

describe('a question to other swarms', () => {
  test('is answered from their findings, whose citations resolve, or from all', async () => {
    const { ask, ops, one, two, fleet, archive } = await openWith();
    expect((await ask()).citations).toEqual(['finding_own']);
    const theirs = await ask(ops.swarm);
    expect(theirs.citations).toEqual([one, two]);
    expect(await fleet.findings.get(theirs.citations[0] ?? '')).toMatchObject({ result: 'of ops', swarm: ops.swarm });
    expect((await ask('all')).citations).toEqual(['finding_own', one, two]);
    expect((await ask('all', { session: 's1' })).citations).toEqual(['finding_own', one]);
    expect(archive.calls[0]?.system).not.toContain('simulated');
    expect(archive.calls[1]?.system).toContain('simulated="yes"');
  });

  test('says in prompt, text and finding what is simulated', async () => {
    const { ask, one, two, ops, archive } = await openWith();
    const answer = await ask('all');
    expect(archive.calls[0]?.prompt).toContain(`swarm="${ops.swarm}" simulated="yes">`);
    expect(answer.result).toContain(`(SIMULATED, not real: [${one}] [${two}].)`);
    expect(answer.simulated_citations).toEqual([one, two]);
    expect((await ask()).result).not.toContain('SIMULATED');
  });

  test('no longer shows what was retracted there', async () => {
    const { ask, one, two, ops } = await openWith();
    expect((await ask(ops.swarm)).citations).toEqual([one, two]);
    await retractFinding(ops.db, { id: 'finding_1', why: 'wrong', by: 'ops' });
    expect((await ask(ops.swarm)).citations).toEqual([two]);
  });

  test('cites only what it was shown: no id without its swarm, none of a swarm that is not read', async () => {
    const archive = createScriptedArchive((_, count) =>
      count === 1
        ? { answer: 'So [finding_1].' }
        : { answer: 'So [finding_own], [web/finding_9].', citations: ['finding_own'] },
    );
    const { ask, ops } = await openWith({ archive });
    await expect(ask(ops.swarm)).rejects.toThrow(/cites what it was not shown: finding_1/);
    await expect(ask('all')).rejects.toThrow(/cites what it was not shown: web\/finding_9/);
  });

  test('is refused with the rule before it is asked, and beside a memory shard', async () => {
    const { ask, ops, fleet, archive } = await openWith();
    await expect(ask('web')).rejects.toThrow(/swarm web is not read here: FLEET_READ_SWARMS/);
    await expect(fleet.ask('x', { filter: { swarm: 'all' }, shard: 'house' })).rejects.toThrow(/memory shard/);
    await ops.share();
    await expect
      .poll(() => ask(ops.swarm).then(() => '', String), { timeout: 10_000 })
      .toMatch(/does not share with \w+: set FLEET_SHARE_WITH=/);
    archive.calls.length = 0;
    const answer = await ask('all');
    expect(answer.citations).toEqual(['finding_own']);
    expect(answer.result).toMatch(/\(Left out: swarm \w+ does not share with/);
  });
});

test('a swarm whose server hangs or is gone stops no question', async () => {
  const docs = await addSwarm(elsewhere, { name: 'docs', kind: 'real' });
  await docs.share(redis.swarm);
  await storeFindings(docs, { finding_d: { result: 'of docs' } });
  const link = await startTcpLink(elsewhere.port);
  const { ask, one, two, ops, fleet } = await openWith({
    env: { FLEET_PEER_DOCS: link.url, FLEET_READ_SWARMS: 'docs' },
  });
  redis.cleanup(() => link.close());
  expect([one, two, ops.swarm]).toHaveLength(3);
  expect((await ask('all')).citations).toEqual(['finding_own', 'docs/finding_d']);
  link.freeze();
  const answer = await ask('all');
  expect(answer.citations).toEqual(['finding_own']);
  expect(answer.result).toMatch(/\(Left out: swarm docs cannot be read: /);
  const { otherSwarms } = await fleet.status();
  expect(otherSwarms).toMatchObject([{ name: 'docs', kind: 'real', refused: { reason: 'unreachable' } }]);
}, 60_000);

test('a stored reply is replayed also when the other swarm is gone by then, and not where its finding was retracted', async () => {
  const ops = await addSwarm(redis);
  await ops.share(redis.swarm);
  await storeFindings(ops, { finding_1: { result: 'of ops' } });
  const id = `${ops.swarm}/finding_1`;
  const mayCite = async (): Promise<boolean[]> => {
    const others = openOtherSwarms({ config: testConfig(redis, { FLEET_READ_SWARMS: ops.swarm }), db: redis.db });
    const context = createArchiveAcross(createArchiveContext(redis.db), others);
    const prompts = createArchivePrompts({ db: redis.db, context, estimate: createTokenEstimate() });
    const query = { question: 'What?', filter: { swarm: 'all' } };
    const citable = await prompts.readCitable(query, null, [id, 'web/finding_9']);
    await others.close();
    return [citable.has(id), citable.has('web/finding_9')];
  };
  expect(await mayCite()).toEqual([true, false]);
  await ops.share();
  expect(await mayCite()).toEqual([true, false]);
  await ops.share(redis.swarm);
  await retractFinding(ops.db, { id: 'finding_1', why: 'wrong', by: 'ops' });
  expect(await mayCite()).toEqual([false, false]);
});
