import { expect, test } from 'vitest';
import { retractFinding } from '../../../src/findings/retract.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { addSwarm } from '../../support/redis/second-swarm.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

async function openWith(kind: 'real' | 'simulated' = 'simulated') {
  const ops = await addSwarm(redis, { kind });
  await ops.share(redis.swarm);
  const { findings } = await useFleet(redis, { env: { FLEET_READ_SWARMS: ops.swarm } });
  return { ops, findings };
}

test('findings of another swarm are listed, searched and read under ids that name it', async () => {
  const { ops, findings } = await openWith('real');
  await storeFindings(redis, { finding_own: { result: 'a fact of ours' } });
  await storeFindings(ops, {
    finding_1: { result: 'a fact of ops', citations: ['finding_0'] },
    other: { result: 'x' },
  });
  const id = `${ops.swarm}/finding_1`;
  const wanted = { finding_id: id, citations: [`${ops.swarm}/finding_0`], swarm: ops.swarm, simulated: false };
  expect(await findings.get(id)).toMatchObject({ ...wanted, result: 'a fact of ops' });
  expect(await findings.get(`finding:${id}`)).toMatchObject(wanted);
  expect(await findings.list({ swarm: ops.swarm, text: 'fact' })).toMatchObject([wanted]);
  expect((await findings.find('fact', { swarm: ops.swarm })).found.map((one) => one.id)).toEqual([id]);
  expect((await findings.find('fact')).found.map((one) => one.id)).toEqual(['finding_own']);
  const each: string[] = [];
  for await (const finding of findings.each({ swarm: ops.swarm })) each.push(finding.finding_id);
  expect(each.toSorted()).toEqual([id, `${ops.swarm}/other`]);
  expect(await findings.get(`${ops.swarm}/finding_none`)).toBeNull();
});

test('a swarm that is not named here is refused with the rule; an own id with a slash is not', async () => {
  const { findings } = await openWith();
  await storeFindings(redis, { 'web/page': { result: 'ours' } });
  expect(await findings.get('web/page')).toMatchObject({ result: 'ours' });
  expect(await findings.get('web/none')).toBeNull();
  await expect(findings.get('web/finding_1')).rejects.toThrow(/swarm web is not read here: FLEET_READ_SWARMS names/);
  await expect(findings.list({ swarm: 'web' })).rejects.toThrow(/FLEET_READ_SWARMS/);
});

test('a retraction there is seen here at once, and what is simulated says so', async () => {
  const { ops, findings } = await openWith();
  await storeFindings(ops, { finding_1: { result: 'wrong' } });
  const id = `${ops.swarm}/finding_1`;
  expect(await findings.get(id)).toMatchObject({ simulated: true });
  await retractFinding(ops.db, { id: 'finding_1', why: 'it is wrong', by: 'ops' });
  expect(await findings.get(id)).toMatchObject({ status: 'retracted' });
  expect(await findings.list({ swarm: ops.swarm })).toEqual([]);
});

test('new findings of another swarm are followed', async () => {
  const { ops, findings } = await openWith();
  const seen: string[] = [];
  const leaving = new AbortController();
  const following = (async () => {
    for await (const finding of findings.follow({ swarm: ops.swarm, signal: leaving.signal }))
      seen.push(finding.finding_id);
  })();
  let n = 0;
  await waitUntil(
    async () => {
      await storeFindings(ops, { [`finding_${(n += 1)}`]: { result: 'x' } });
      return seen.length > 0;
    },
    { what: 'a followed finding' },
  );
  leaving.abort();
  await following;
  expect(seen[0]).toMatch(new RegExp(`^${ops.swarm}/finding_`));
});

test('a swarm that is followed, finds nothing and shares no longer is refused', async () => {
  const { ops, findings } = await openWith();
  const following = (async () => {
    for await (const { finding_id: id } of findings.follow({ swarm: ops.swarm })) throw new Error(id);
  })();
  following.catch(() => undefined); // it is awaited below
  await waitUntil(async () => / name=fleet-follow .* flags=b /.test(String(await redis.redis.client('LIST'))));
  await ops.share();
  await expect(following).rejects.toThrow(/does not share with/);
}, 60_000);
