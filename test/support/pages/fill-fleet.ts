import type { DashboardParts } from '../../../dashboards/types.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import { useFleet, type TestFleet } from '../fleet/use-fleet.ts';
import { createScriptedArchive } from '../models/scripted-archive.ts';
import { createScriptedModel } from '../models/scripted-model.ts';
import { makePatch, makePersonRepository } from '../patches/person-repository.ts';
import { addSwarm } from '../redis/second-swarm.ts';
import { storeExternal, storeFindings } from '../redis/store-findings.ts';
import { loseCall } from '../redis/uncertain-call.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { HOSTILE } from './hostile.ts';

/** What the pages show, and the variables of a dashboard that shows all of it. */
export interface FilledFleet {
  fleet: TestFleet;
  env: Record<string, string>;
  /** A page of each kind: what it is → its path. */
  paths: Record<string, string>;
  /** Answers in place of those that are asked for by a hostile id: the beginning of their address → one of them. */
  instead: Record<string, string>;
}

const TEN_YEARS_MS = 10 * 365 * 24 * 3600_000;
const PLAN = {
  approach: 'Look at Both, then tell.',
  tasks: [
    { id: 'look', description: 'Look at {item}', kind: 'docs', model: 'haiku', depends_on: [], for_each: ['A', 'B'] },
    { id: 'tell', description: 'Tell what they Say', kind: 'docs', model: 'haiku', depends_on: ['look'] },
  ],
};

/** Fills a swarm with something of all that pages show. Texts of people have a capital or a digit: `poison` knows them by it. */
export async function fillFleet(redis: TestRedis): Promise<FilledFleet> {
  const model = createScriptedModel(({ messages }) => {
    const isBad = JSON.stringify(messages).includes('Rate');
    if (messages.length === 1) return { tools: [{ name: 'read', input: { file_path: 'A.txt' } }] };
    return isBad ? 'No number' : 'Two pears.';
  });
  const librarian = createScriptedArchive(() => ({ answer: 'Pears grow Here [F1].', citations: ['F1'] }));
  const fleet = await useFleet(redis, { site: { 'A.txt': 'A pear.\n' }, haiku: model, librarian });
  await storeFindings(redis, {
    F1: {
      task: 'Count Pears',
      result: 'Nine pears.',
      summary: 'Nine Pears',
      topics: ['Fruit'],
      session: 'Today',
      kind: 'docs',
    },
    F2: {
      task: 'Count Plums',
      result: { plums: 'Two' },
      summary: 'Two Plums',
      status: 'partial',
      citations: ['F1'],
      tool_errors: { failed: 2, last: [{ tool: 'Git', error: 'Nothing to commit' }] },
      changes: [{ path: 'Lib/a.ts', added: 3, removed: 1, lines: '1-4' }],
    },
  });
  const schema = { type: 'object', required: ['count'], properties: { count: { type: 'integer' } } };
  const work = [{ description: 'Count the Pears' }, { description: 'Rate the Pears', schema }];
  const options = { batch: 'Fruit-1', budgetUsd: 1 };
  const { ids } = await fleet.tasks.addMany(
    work.map((task) => ({ ...task, workspace: 'site' })),
    options,
  );
  const [good = '', bad = ''] = ids;
  await fleet.until(good, 'completed');
  await fleet.until(bad, 'failed');
  const { id: asked } = await fleet.ask('Where do Pears grow?');
  const person = makePersonRepository({ 'A.txt': 'one\n' });
  const patch = await makePatch(redis.db, person, 'Patch-1', {
    message: 'Mend The pears\n\nFleet-Task: Patch-1\n',
    leftOut: [{ path: '.Env', why: 'It has the name of a secret' }],
    work: (tree) => tree.write({ 'A.txt': 'two\n', 'B.js': 'let B = 1;\n' }),
  });
  const { base, head, added, removed } = patch;
  const carried = { base, head, files: 2, added, removed, state: 'pending' } as const;
  await storeFindings(redis, { [patch.findingId]: { result: 'Mended.', summary: 'Mended It', patch: carried } });
  await fleet.when('Watch1', { match: { topic: 'Fruit' }, task: 'Check {finding.id}', since: '7d' });
  await fleet.rules.replay('Watch1');
  await loseCall(redis, { worstNanoUsd: 7_000_000, jobId: 'Lost-1', batch: 'Fruit-1' });
  await leaveMission(redis, fleet.inner.queues);
  await leaveOthers(redis);
  const ops = await addSwarm(redis);
  await ops.share(redis.swarm);
  await storeFindings(ops, { O1: { result: 'A pear of Ops.' } });
  return {
    fleet,
    env: { FLEET_READ_SWARMS: ops.swarm, FLEET_WORKSPACES: `site=${person.root}` },
    paths: {
      overview: '/',
      tasks: '/tasks',
      'a failed task': `/tasks/${bad}`,
      'a finished task': `/tasks/${good}`,
      findings: '/findings',
      'a finding': '/findings/F2',
      'a finding of a task': `/findings/${toFindingId(good)}`,
      'a finding of another swarm': `/findings/${encodeURIComponent(`${ops.swarm}/O1`)}`,
      'a patch': `/patches/${patch.findingId}`,
      'a mission': '/missions/Mission-1',
      rules: '/rules',
      audit: '/audit',
      costs: '/costs?by=model&model=claude-haiku-5-5',
      workers: '/workers',
      batches: '/batches',
      'a batch': '/batches/Fruit-1',
      archive: `/archive?asked=${encodeURIComponent(asked)}`,
    },
    instead: { '/api/findings/': '/api/findings/F2', '/api/archive/answers/': `/api/archive/answers/${asked}` },
  };
}

/** A mission that waits for approval. */
async function leaveMission({ redis, keys }: TestRedis, queues: DashboardParts['queues']): Promise<void> {
  const given = { goal: 'Find the Pears', approve: true, dry_run: true };
  const counts = JSON.stringify({ total: 3, added: 0, done: 0, failed: 0, skipped: 0 });
  await redis.hset(keys.mission('Mission-1'), {
    goal: given.goal,
    session: 'Today',
    input: JSON.stringify(given),
    counts,
    step: 'delegate',
    state: 'planned',
    plan: JSON.stringify(PLAN),
    createdAt: new Date().toISOString(),
  });
  await redis.zadd(keys.missions, Date.now(), 'Mission-1');
  await queues.missions.add('mission', given, { jobId: 'Mission-1', delay: TEN_YEARS_MS });
}

/** What needs a person: a process of another version, a parked job, a public key of a wrong type. */
async function leaveOthers({ redis, keys }: TestRedis): Promise<void> {
  const old = { id: 'Old_1', host: 'Box1', slots: 3, active: ['J1'], workspaces: ['Site'], version: '0.0.1' };
  await redis.hset(keys.workers, 'Old_1', JSON.stringify({ ...old, pid: 1, seenAt: Date.now() }));
  await redis.hset(keys.hostClocks, 'Box1', `90000|${Date.now()}`);
  await redis.hset(keys.parked, 'P1', JSON.stringify({ scope: 'batch', name: 'Fruit-1', queue: 'tasks' }));
}

/** Stores what no command would take: each hostile text in each field that others can write, past all checks. */
export async function storeHostile(redis: TestRedis): Promise<void> {
  const { redis: client, keys } = redis;
  const now = Date.now();
  for (const [i, text] of HOSTILE.entries()) {
    const id = toHostileId(i);
    await client.hset(keys.queueKey('tasks', id), {
      name: text,
      data: JSON.stringify({
        description: text,
        ...toNames(text),
        files: [text],
        contexts: [text],
        data: { [text]: text },
      }),
      opts: '{}',
      timestamp: now + i,
      processedOn: now + i,
      finishedOn: now + i,
      failedReason: `schema: ${text}`,
      stacktrace: JSON.stringify([text]),
      progress: JSON.stringify({ text }),
      pb: text,
    });
    await client.zadd(keys.queueKey('tasks', 'failed'), now + i, id);
    await client.rpush(keys.run(id), ...toRun(text));
    await client.rpush(keys.jobLogs('tasks', id), text);
    await client.zadd(keys.batches, now + i, text);
    await client.hset(keys.batch(text), { session: text, createdAt: new Date(now).toISOString(), tasks: 2 });
    const worker = { id: text, host: text, slots: 1, active: [text], workspaces: [text], version: text, seenAt: now };
    await client.hset(keys.workers, `bad ${i}`, JSON.stringify({ ...worker, pid: 1 }));
    await loseCall(redis, { jobId: `lost ${i} ${text}`, model: text, batch: text });
    await storeExternal(redis, {
      [`X${i}`]: toFinding(text),
      [`archive_X${i}`]: { ...toFinding(text), kind: 'archive' },
    });
    await client.zadd(keys.index, now + i, `X${i}`);
    await client.zadd(keys.indexAnswers, now - i, `archive_X${i}`);
  }
  const [text = ''] = HOSTILE;
  const halt = { reason: text, step: text, at: new Date().toISOString(), by: text, detail: HOSTILE.join(' ') };
  await client.set(keys.haltReason, JSON.stringify(halt));
}

/** Id of the job that holds a hostile text. */
export function toHostileId(i: number): string {
  return `bad ${i} ${HOSTILE[i]}`;
}

/** The names that a job belongs to. */
function toNames(text: string): object {
  return { kind: text, workspace: text, batch: text, session: text, client: text, model: text, mission_id: text };
}

/** One entry of each kind in which a run notes words of others. */
function toRun(text: string): string[] {
  const at = Date.now();
  return [
    [at, 'taken', text],
    [at, 'call', '0', text, 1, 0, 1, 5, 10, 20, text],
    [at, 'tool', text, text, 5, 10, text],
    [at, 'wait', text, at],
    [at, 'handover', text, text, text],
    [at, 'failed', text, text],
  ].map((entry) => JSON.stringify(entry));
}

function toFinding(text: string): object {
  return {
    worker_id: text,
    task: text,
    result: text,
    summary: text,
    files_changed: [text],
    citations: [text],
    session: text,
    batch: text,
    mission_id: text,
    job_id: text,
    model: text,
    kind: text,
    topics: [text],
    status: text,
    at: new Date().toISOString(),
    changes: [{ path: text, added: 1, removed: 0, lines: text }],
    tool_errors: { failed: 1, last: [{ tool: text, error: text }] },
    origin: { chain: [{ rule: text, finding: text }] },
    retracted: { why: text, by: text, at: text },
    patch: { state: text, files: 1, added: 1, removed: 0 },
    usage: { [text]: 1 },
  };
}
