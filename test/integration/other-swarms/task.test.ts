import { expect, test } from 'vitest';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { createScriptedArchive, idsShown } from '../../support/models/scripted-archive.ts';
import { addSwarm } from '../../support/redis/second-swarm.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { waitUntil } from '../../support/wait.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

async function work(toSteps: (swarm: string) => Step[], more: { shard?: string } = {}) {
  const ops = await addSwarm(redis);
  await ops.share(redis.swarm);
  await storeFindings(ops, { finding_1: { result: 'the disk was full' } });
  const steps = toSteps(ops.swarm);
  const model = createScriptedModel((_, call) => steps[call - 1] ?? 'done');
  const fleet = await useFleet(redis, {
    env: { FLEET_READ_SWARMS: ops.swarm },
    haiku: model,
    librarian: createScriptedArchive((call) => ({ answer: `It was [${idsShown(call)[0]}].` })),
  });
  const { finding } = await fleet.tasks.add({ description: 'Why did it stop?', ...more });
  return { ops, fleet, model, finding: await finding(), id: `${ops.swarm}/finding_1` };
}

const seen = (model: Awaited<ReturnType<typeof work>>['model'], call: number): string =>
  JSON.stringify(model.calls[call - 1]?.messages);

test('a worker searches and reads another swarm, cites it, and its finding says what is simulated', async () => {
  const { model, finding, id, ops } = await work((swarm) => [
    { tools: [{ name: 'findings', input: { action: 'search', query: 'disk', swarm } }] },
    { tools: [{ name: 'findings', input: { action: 'get', ids: [`finding:${swarm}/finding_1`] } }] },
  ]);
  expect(seen(model, 1)).toContain(`Other swarms whose findings you may read: ${ops.swarm}`);
  expect(seen(model, 2)).toContain(`${id} (`);
  expect(seen(model, 3)).toContain('[SIMULATED, not real: say so where you use it]');
  expect(finding).toMatchObject({ citations: [id], simulated_citations: [id] });
});

test('a worker asks the archive of another swarm', async () => {
  const { model, finding, id } = await work((swarm) => [
    { tools: [{ name: 'ask_archive', input: { question: 'Why?', swarm: 'web' } }] },
    { tools: [{ name: 'ask_archive', input: { question: 'Why?', swarm } }] },
  ]);
  expect(seen(model, 2)).toContain('swarm web is not read here');
  expect(seen(model, 3)).toContain(`It was [${id}].`);
  expect(finding).toMatchObject({ citations: [id], simulated_citations: [id] });
});

const readsTwo = (swarm: string): Step[] => [
  { tools: [{ name: 'findings', input: { action: 'search', query: 'disk', swarm: 'web' } }] },
  { tools: [{ name: 'findings', input: { action: 'get', ids: [`${swarm}/finding_1`] } }] },
];

test('a task that names a swarm that is not read is told the rule, and works on', async () => {
  const open = await work(readsTwo);
  expect(seen(open.model, 2)).toMatch(/swarm web is not read here: FLEET_READ_SWARMS names/);
  expect(open.finding.citations).toEqual([open.id]);
});

test('a task that a rule started for a simulated finding says so', async () => {
  const { id, fleet, ops } = await work(() => []);
  const chain = [{ rule: 'watch', finding: id }];
  await fleet.queue.add('task', { description: 'Look at it', origin: { chain } }, { jobId: 'when-1' });
  const finding = await waitUntil(() => fleet.findings.list({ text: 'Look at it' }).then(([one]) => one ?? null));
  expect(finding).toMatchObject({ citations: [id], simulated_citations: [id], origin: { chain } });
  expect(ops.swarm).toBe(id.split('/')[0]);
});

test('a task of a memory shard reads no other swarm', async () => {
  const ofShard = await work(readsTwo, { shard: 'house' });
  expect(seen(ofShard.model, 3)).toContain('belongs to memory shard house');
  expect(ofShard.finding).toMatchObject({ citations: [], status: 'completed' });
});
