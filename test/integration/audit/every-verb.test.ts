import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { AuditEntry, AuditVerb } from '../../../src/audit/types.ts';
import { readAuditPage } from '../../../src/audit/read-audit.ts';
import { takeOlder } from '../../../src/bridge/older.ts';
import { surveyOldTasks } from '../../../src/bridge/survey.ts';
import { addClient, removeClient } from '../../../src/clients/clients.ts';
import { settleCalls } from '../../../src/coordinator/control/settle-calls.ts';
import { UsageError } from '../../../src/errors.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { importFindings } from '../../../src/findings/transfer/import.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { forgetRuns } from '../../../src/run-record/transcripts/forget.ts';
import { changePatchState } from '../../../src/patches/change-state.ts';
import { currentUser } from '../../../src/swarm/current-user.ts';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import {
  makePatch,
  makePersonRepository,
  openHost,
  type PersonRepository,
} from '../../support/patches/person-repository.ts';
import { finishTaskTree, makeTaskTree } from '../../support/patches/task-tree.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { toTestFinding } from '../../support/redis/test-finding.ts';
import { loseCall } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const TEN_YEARS_MS = 10 * 365 * 24 * 3600_000;
const PLAN = {
  approach: 'look',
  tasks: ['a', 'b'].map((id) => ({ id, description: `Look at ${id}`, kind: 'other', model: 'haiku', depends_on: [] })),
};
const RULE = { match: { topic: 'tea' }, task: 'Check {finding.id}', budgetUsd: 1 };
const OLD_PLACE = { workspace: null, root: null, vendors: null };

interface Scenario {
  /** What is there before. Nothing of it is the actor's. */
  prepare?: (fleet: TestFleet) => Promise<unknown>;
  act: (fleet: TestFleet) => Promise<unknown>;
  /** What the entry holds beside who and what. */
  entry: Partial<Pick<AuditEntry, 'about' | 'before' | 'after'>>;
  /** Variables of the fleet. */
  env?: () => Record<string, string>;
  /** True: the same once more is a change again. */
  repeats?: true;
}

/** A request of a person in Bull Board. */
const inBoard = (method: string, path: string, body?: unknown) => async () => {
  const { send } = await startDashboard(redis);
  const answer = await send(method, `/queues/api/queues/${path}`, body);
  if (answer.status >= 400) throw new UsageError(await answer.text());
};

const addTask = (fleet: TestFleet, id: string, delay = 0) =>
  fleet.queue.add('task', { description: 'Count the files', session: 's' }, { jobId: id, delay });

/** A task that has failed, without a worker. */
async function failTask(fleet: TestFleet, id: string): Promise<void> {
  await addTask(fleet, id);
  const { redis: admin, keys } = redis;
  await admin.lrem(keys.queueKey('tasks', 'wait'), 0, id);
  await admin.zadd(keys.queueKey('tasks', 'failed'), Date.now(), id);
  await admin.hset(keys.queueKey('tasks', id), { failedReason: 'schema: no', finishedOn: Date.now() });
}

/** A mission as its coordinator left it. */
async function leaveMission({ inner }: TestFleet, fields: Record<string, string>): Promise<void> {
  const given = { goal: 'Find out.', approve: true, dry_run: true, session: 's' };
  const record = {
    goal: 'Find out.',
    session: 's',
    input: JSON.stringify(given),
    createdAt: '2026-11-20T10:00:00.000Z',
  };
  await redis.redis.hset(redis.keys.mission('m'), { ...record, ...fields });
  await inner.queues.missions.add('mission', given, { jobId: 'm', delay: TEN_YEARS_MS });
}

/** Two findings that fit the rule `watch`; one of them would be too deep. */
async function laySeed(): Promise<void> {
  const origin = { chain: [{ rule: 'first', finding: 'f0' }] };
  await storeFindings(redis, { f1: { topics: ['tea'] }, f2: { topics: ['tea'], origin } });
}

async function addRule(fleet: TestFleet): Promise<void> {
  await fleet.when('watch', RULE);
  await redis.redis.del(redis.keys.audit);
}

async function parkChain(fleet: TestFleet): Promise<void> {
  await laySeed();
  await fleet.when('watch', RULE);
  await fleet.rules.replay('watch');
  await redis.redis.del(redis.keys.audit);
}

let person: PersonRepository;
const inPerson = (): Record<string, string> => {
  person = makePersonRepository();
  return { FLEET_WORKSPACES: `site=${person.root}`, FLEET_DATA: join(dirname(person.root), 'data') };
};
const layPatch = () => makePatch(redis.db, person, 'task-1', { work: (tree) => tree.write({ 'a.txt': 'two\n' }) });

/** Every verb of the audit: one that is added needs a scenario here, or this does not compile. */
const SCENARIOS: Record<AuditVerb, Scenario> = {
  halt: {
    act: (fleet) => fleet.halt('prices'),
    entry: { about: {}, before: { halt: null }, after: { halt: 'person: prices' } },
  },
  resume: {
    prepare: () =>
      redis.redis.set(redis.keys.haltReason, JSON.stringify({ reason: 'budget', at: 'then', detail: 'reached' })),
    act: (fleet) => fleet.resume(),
    entry: { before: { halt: 'budget: reached', since: 'then' }, after: { halt: null } },
  },
  budget: {
    prepare: () => redis.redis.hset(redis.keys.budget, 'day', 5_000_000_000),
    act: (fleet) => fleet.budget.set('20'),
    entry: { about: { budget: 'of the day' }, before: { limit: '$5.0000' }, after: { limit: '$20.0000' } },
  },
  session: {
    prepare: (fleet) => fleet.session.read(),
    act: (fleet) => fleet.session.set('instance-11'),
    entry: { before: { session: expect.stringMatching(/^\d{4}-/) as string }, after: { session: 'instance-11' } },
  },
  cancel: {
    prepare: (fleet) => Promise.all(['a', 'b'].map((id) => addTask(fleet, id))),
    act: (fleet) => fleet.cancel({ ids: ['a', 'b', 'none'] }),
    entry: {
      about: { ids: ['a', 'b'], count: 2 },
      before: { state: 'waiting' },
      after: { state: 'cancelled', jobs: 2 },
    },
    repeats: true, // until a worker takes them, they are open
  },
  retry: {
    prepare: (fleet) => failTask(fleet, 'a'),
    act: (fleet) => fleet.retry({ ids: ['a', 'none'] }, { append: 'Say it in JSON', maxTurns: 9 }),
    entry: {
      about: { ids: ['a'], count: 1 },
      before: { state: 'failed', reason: 'schema', description: 'Count the files', max_turns: null },
      after: { state: 'waiting', description: 'Count the files Say it in JSON', max_turns: 9 },
    },
  },
  edit: {
    prepare: (fleet) => failTask(fleet, 'a'),
    act: inBoard('PATCH', 'tasks/a/update-data', { jobData: { description: 'Count the folders', session: 's' } }),
    entry: { before: { description: 'Count the files' }, after: { description: 'Count the folders' } },
  },
  run: {
    prepare: (fleet) => leaveMission(fleet, { state: 'planned', plan: JSON.stringify(PLAN), step: 'delegate' }),
    act: (fleet) => fleet.missions.run('m', { drop: [1] }),
    entry: {
      about: { mission: 'm' },
      before: { state: 'planned', plan: expect.any(String) as string },
      after: { state: 'running', tasks: 1, dropped: ['1'], likely: expect.stringMatching(/^\$/) as string },
    },
  },
  answer: {
    prepare: (fleet) => leaveMission(fleet, { state: 'asks', problem: 'the recall failed twice: malformed' }),
    act: (fleet) => fleet.missions.answer('m', 'Go on.'),
    entry: { about: { mission: 'm' }, before: { state: 'asks' }, after: { state: 'running', answer: 'Go on.' } },
  },
  park: {
    prepare: (fleet) => leaveMission(fleet, { state: 'planned', plan: JSON.stringify(PLAN) }),
    act: (fleet) => fleet.missions.park('m'),
    entry: { about: { mission: 'm' }, before: { state: 'planned' }, after: { state: 'parked' } },
  },
  'resume-mission': {
    prepare: (fleet) => leaveMission(fleet, { state: 'asks', problem: 'the recall failed twice: malformed' }),
    act: (fleet) => fleet.missions.resume('m', 'retry'),
    entry: {
      about: { mission: 'm' },
      before: { state: 'asks' },
      after: { state: 'running', decision: 'retry', released: 1 },
    },
  },
  'rule-add': {
    act: (fleet) => fleet.when('watch', RULE),
    entry: {
      about: { rule: 'watch' },
      before: null,
      after: expect.objectContaining({
        when: '{"topic":"tea"}',
        description: RULE.task,
        budget: '$1.0000',
      }) as AuditEntry['after'],
    },
  },
  'rule-pause': {
    prepare: addRule,
    act: (fleet) => fleet.rules.pause('watch'),
    entry: { about: { rule: 'watch' }, before: { state: 'active' }, after: { state: 'paused' } },
  },
  'rule-resume': {
    prepare: async (fleet) => {
      await addRule(fleet);
      await fleet.rules.pause('watch');
    },
    act: (fleet) => fleet.rules.resume('watch'),
    entry: { about: { rule: 'watch' }, before: { state: 'paused' }, after: { state: 'active' } },
  },
  'rule-remove': {
    prepare: parkChain,
    act: (fleet) => fleet.rules.remove('watch'),
    entry: { about: { rule: 'watch' }, before: { state: 'active', fired: 1, chains: 1 }, after: null },
  },
  'rule-replay': {
    prepare: async (fleet) => {
      await addRule(fleet);
      await laySeed();
    },
    act: (fleet) => fleet.rules.replay('watch'),
    entry: { about: { rule: 'watch' }, after: { fired: 1 } },
  },
  'chains-release': {
    prepare: parkChain,
    act: (fleet) => fleet.rules.release({ rule: 'watch' }),
    entry: { about: { rule: 'watch' }, after: { released: 1 } },
  },
  'chains-drop': {
    prepare: parkChain,
    act: (fleet) => fleet.rules.drop({ rule: 'watch' }),
    entry: { about: { rule: 'watch' }, after: { dropped: 1 } },
  },
  retract: {
    prepare: () => storeFindings(redis, { f1: {} }),
    act: ({ inner: { db } }) => retractFinding(db, { id: 'f1', why: 'the wrong host', by: 'ada' }),
    entry: {
      about: { finding: 'f1' },
      before: { retracted: false },
      after: { retracted: true, why: 'the wrong host' },
    },
  },
  import: {
    act: ({ inner: { db } }) => {
      const line = `${JSON.stringify(toTestFinding('x'))}\n`;
      const lines = (async function* () {
        yield line;
      })();
      return importFindings(db, lines, { onBad: (_, problem) => expect.fail(problem) });
    },
    entry: { after: { findings: 1 } },
  },
  forget: {
    prepare: () => redis.redis.rpush(redis.keys.run('a'), '[1,"taken","w"]'),
    act: ({ inner: { db } }) => forgetRuns(db, join(redis.folder, 'none'), 'a'),
    entry: { about: { job: 'a' }, before: { record: true, transcript: false }, after: null },
  },
  apply: {
    env: inPerson,
    prepare: layPatch,
    act: (fleet) => fleet.patches.apply({ ids: ['task-1'] }),
    entry: {
      about: { patch: expect.any(String) as string, task: 'task-1' },
      before: { state: 'pending' },
      after: { state: 'applied', commit: expect.stringMatching(/^[0-9a-f]{40}$/) as string },
    },
  },
  undo: {
    env: inPerson,
    prepare: async (fleet) => {
      await layPatch();
      await fleet.patches.apply({ ids: ['task-1'] });
    },
    act: (fleet) => fleet.patches.undo(['task-1']),
    entry: { before: { state: 'applied' }, after: { state: 'discarded', commit: expect.any(String) as string } },
  },
  discard: {
    env: inPerson,
    prepare: layPatch,
    act: (fleet) => fleet.patches.discard({ ids: ['task-1'] }),
    entry: { before: { state: 'pending' }, after: { state: 'discarded' } },
  },
  prune: {
    env: inPerson,
    prepare: async () => {
      const host = await openHost(redis, person);
      const tree = await makeTaskTree(host, person, 'task-1');
      writeFileSync(join(tree.root, 'a.txt'), 'two\n');
      const { findingId } = await finishTaskTree(host, person, tree);
      await changePatchState(host.db, { findingId, state: 'discarded' });
    },
    act: (fleet) => fleet.patches.worktrees({ prune: true }),
    entry: { about: { ids: ['task-1'], count: 1 } },
  },
  'context-load': {
    act: (fleet) => fleet.contexts.load('notes', 'pears'),
    entry: { about: { context: 'notes' }, before: null, after: { bytes: 5, version: expect.any(String) as string } },
  },
  'context-remove': {
    prepare: (fleet) => fleet.contexts.load('notes', 'pears'),
    act: (fleet) => fleet.contexts.remove('notes'),
    entry: { about: { context: 'notes' }, before: { bytes: 5, version: expect.any(String) as string }, after: null },
  },
  'token-add': {
    act: ({ inner: { db } }) => addClient(db, { name: 'laptop', role: 'delegate', budgetUsd: 5, expires: null }),
    entry: { about: { client: 'laptop' }, before: null, after: { role: 'delegate', limit: '$5.0000', expires: null } },
  },
  'token-remove': {
    prepare: () => addClient(redis.db, { name: 'laptop', role: 'read', budgetUsd: null, expires: null }),
    act: ({ inner: { db } }) => removeClient(db, 'laptop'),
    entry: { about: { client: 'laptop' }, before: { role: 'read', limit: null, expires: null }, after: null },
  },
  settle: {
    prepare: () => loseCall(redis, { worstNanoUsd: 700_000 }),
    act: async ({ inner }) =>
      settleCalls(inner, await readUncertain(inner.db), { verdict: 'unpaid', by: 'ada', why: 'the bill' }),
    entry: {
      about: { ids: [expect.any(String)], count: 1 },
      before: { cost: 'uncertain', worst: '$0.000700' },
      after: { cost: 'unpaid', why: 'the bill' },
    },
  },
  'bridge-take': {
    prepare: async () => {
      await createOldPoster(redis.db).store('x', { description: 'Old x' });
      await surveyOldTasks({ ...OLD_PLACE, db: redis.db }, new Set());
    },
    act: ({ inner: { db, queues, currentSession } }) =>
      takeOlder({ ...OLD_PLACE, db, queue: queues.tasks, currentSession }, 'all'),
    entry: { about: { ids: [expect.stringMatching(/^old-x-/)], count: 1 } },
  },
  'queue-pause': {
    act: inBoard('PUT', 'tasks/pause'),
    entry: { about: { queue: 'tasks' }, before: { paused: false }, after: { paused: true } },
  },
  'queue-resume': {
    prepare: ({ inner: { queues } }) => queues.archive.pause(),
    act: inBoard('PUT', 'resume'),
    entry: { about: { queue: 'archive' }, before: { paused: true }, after: { paused: false } },
  },
  promote: {
    prepare: (fleet) => addTask(fleet, 'a', 60_000),
    act: inBoard('PUT', 'tasks/promote'),
    entry: { about: { queue: 'tasks' }, before: { state: 'delayed', jobs: 1 }, after: { state: 'waiting' } },
  },
  delay: {
    prepare: (fleet) => addTask(fleet, 'a', 60_000),
    act: inBoard('PATCH', 'tasks/a/delay', { runAt: Date.UTC(2100, 0, 1) }),
    entry: {
      about: { ids: ['a'], count: 1 },
      before: { due: expect.any(String) as string },
      after: { due: '2100-01-01T00:00:00.000Z' },
    },
    repeats: true,
  },
  priority: {
    prepare: (fleet) => addTask(fleet, 'a'),
    act: inBoard('PATCH', 'tasks/a/priority', { priority: 7 }),
    entry: { about: { ids: ['a'], count: 1 }, before: { priority: 0 }, after: { priority: 7 } },
  },
};

/** Bull Board's own. */
const IN_BOARD = new Set<string>(['edit', 'queue-pause', 'queue-resume', 'promote', 'delay', 'priority']);

test.each(Object.entries(SCENARIOS))('%s is noted once, with what it changed', async (what, scenario) => {
  const { prepare, act, entry, env, repeats } = scenario;
  const fleet = await useFleet(redis, { env: env?.() ?? {} });
  const read = async () => (await readAuditPage(redis.db, { what: [what] }, { limit: 10 })).entries;
  await prepare?.(fleet);
  expect(await read()).toEqual([]);
  await act(fleet);
  const first = await read();
  expect(first).toEqual([
    expect.objectContaining({
      ...entry,
      who: currentUser(),
      from: IN_BOARD.has(what) ? 'bull-board' : 'script',
      client: null,
    }),
  ]);
  if (repeats) return;
  await Promise.resolve(act(fleet)).catch((error: unknown) => expect(error).toBeInstanceOf(UsageError)); // refused, or no change
  expect(await read()).toEqual(first);
});
