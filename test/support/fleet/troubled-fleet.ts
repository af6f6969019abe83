import type { Queue } from 'bullmq';
import { addClient } from '../../../src/clients/clients.ts';
import { makePatch, type PersonRepository } from '../patches/person-repository.ts';
import { storeFindings } from '../redis/store-findings.ts';
import { loseCall } from '../redis/uncertain-call.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { failNext } from './fail-next.ts';
import type { TestFleet } from './use-fleet.ts';

const TEN_YEARS_MS = 10 * 365 * 24 * 3600_000;
/** Longer than any test. */
const LATER_MS = 1e9;
const PLAN = {
  approach: 'Look, then tell.',
  tasks: [
    { id: 'look', description: 'Look at {item}', kind: 'docs', model: 'haiku', depends_on: [], for_each: ['a', 'b'] },
    { id: 'tell', description: 'Tell what they say', kind: 'docs', model: 'haiku', depends_on: ['look'] },
  ],
};

/** What jobs are parked for: scope → name. */
export const PARKED = { client: 'laptop', batch: 'nightly', mission: 'mission-paid', rule: 'watch', task: 'p-task' };

/** A fleet without a process, in which all is wrong that a person can repair. Its workspace is `person`'s. */
export async function troubleFleet(redis: TestRedis, fleet: TestFleet, person: PersonRepository): Promise<void> {
  await failTasks(redis, fleet.queue);
  await leaveMissions(redis, fleet);
  await parkJobs(redis, fleet);
  await firePatchesAndRules(redis, fleet, person);
  await loseCall(redis, { worstNanoUsd: 7_000_000, jobId: 'lost-1' });
  await redis.redis.rpush(redis.keys.cost('haiku'), 'what another program wrote');
  await fleet.queue.add('task', { description: 'Count the plums.' }, { jobId: 'wait-1' });
}

/** One fails a second time if it is not changed, the other one was bad luck. */
async function failTasks(redis: TestRedis, tasks: Queue): Promise<void> {
  await tasks.add('task', { description: 'Count all pears.', max_turns: 2 }, { jobId: 'too-long' });
  await failNext(redis, tasks, 'step-limit: 2 turns were not enough');
  await tasks.add('task', { description: 'Count the apples.' }, { jobId: 'bad-luck' });
  await failNext(redis, tasks, 'provider-unavailable: it was away');
}

async function leaveMissions(redis: TestRedis, { inner: { queues } }: TestFleet): Promise<void> {
  const { redis: connection, keys } = redis;
  const given = { goal: 'Find out', approve: true, dry_run: true };
  const counts = JSON.stringify({ total: 0, added: 0, done: 0, failed: 0, skipped: 0 });
  const record = { session: 's', input: JSON.stringify(given), counts, createdAt: new Date().toISOString() };
  const missions = {
    'mission-planned': { goal: 'Approve me', state: 'planned', step: 'delegate', plan: JSON.stringify(PLAN) },
    'mission-asks': { goal: 'Answer me', state: 'asks', problem: 'the recall failed twice' },
    'mission-aside': { goal: 'Set me aside', state: 'asks', problem: 'the plan failed twice' },
    'mission-paid': { goal: 'Pay for me', state: 'running' },
  };
  for (const [id, fields] of Object.entries(missions)) {
    await connection.hset(keys.mission(id), { ...record, ...fields });
    await connection.zadd(keys.missions, Date.now(), id);
    await queues.missions.add('mission', given, { jobId: id, delay: TEN_YEARS_MS });
  }
}

async function parkJobs(redis: TestRedis, { queue }: TestFleet): Promise<void> {
  const { redis: connection, keys, db } = redis;
  await addClient(db, { name: PARKED.client, role: 'delegate', budgetUsd: 2, expires: null });
  await connection.zadd(keys.batches, 1, PARKED.batch);
  await connection.hset(keys.batch(PARKED.batch), { tasks: 1 });
  for (const [scope, name] of Object.entries(PARKED)) {
    const id = `p-${scope}`;
    await queue.add('task', { description: `Wait for ${scope}.`, budget_usd: 0.01 }, { jobId: id, delay: LATER_MS });
    await connection.hset(keys.parked, id, JSON.stringify({ scope, name, queue: 'tasks' }));
  }
}

async function firePatchesAndRules(redis: TestRedis, fleet: TestFleet, person: PersonRepository): Promise<void> {
  const findings: Parameters<typeof storeFindings>[1] = {};
  for (const name of ['good', 'bad']) {
    const { findingId, base, head, added, removed } = await makePatch(redis.db, person, `task-${name}`, {
      message: `Mend ${name}\n\nFleet-Task: task-${name}\n`,
      work: (tree) => tree.write({ [`${name}.txt`]: `${name}\n` }),
    });
    findings[findingId] = { result: 'Mended.', patch: { base, head, files: 1, added, removed, state: 'pending' } };
  }
  const origin = { chain: [{ rule: 'first', finding: 'f0' }] };
  findings['f-tea'] = { topics: ['tea'], origin };
  findings['f-milk'] = { topics: ['milk'], origin };
  findings['f-wrong'] = { result: 'It is 41.', summary: 'It is 41.' };
  await storeFindings(redis, findings);
  await fleet.when('watch', { match: { topic: 'tea' }, task: 'Check {finding.id}' });
  await fleet.when('other', { match: { topic: 'milk' }, task: 'Check {finding.id}' });
  for (const name of ['watch', 'other']) await fleet.rules.replay(name); // each finds a chain that is too deep for it
}
