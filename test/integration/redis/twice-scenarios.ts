import { countCancelled } from '../../../src/jobs/cancelled.ts';
import { toVersion } from '../../../src/coordinator/review/find-review.ts';
import { createHash } from 'node:crypto';
import { CallTimeoutError, ProviderUnavailableError } from '../../../src/errors.ts';
import type { Finding } from '../../../src/findings/finding.ts';
import { adoptExternal } from '../../../src/findings/external/adopt.ts';
import { claimOldTask } from '../../../src/bridge/claim.ts';
import { renewOldClaims } from '../../../src/bridge/renew.ts';
import { saveContext } from '../../../src/contexts/memory-contexts.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { noteFinding } from '../../../src/findings/store.ts';
import { importFindings } from '../../../src/findings/transfer/import.ts';
import { countUnavailable } from '../../../src/jobs/outcomes/backoff.ts';
import { readJobPage } from '../../../src/jobs/find/list-jobs.ts';
import { payOwed } from '../../../src/ledger/pay-owed.ts';
import { releaseTask } from '../../../src/jobs/leased/give-back.ts';
import { renewTask, takeTask } from '../../../src/jobs/leased/take.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import { sweepReservations } from '../../../src/ledger/sweep.ts';
import type { TaskIdentity, TurnLedger } from '../../../src/ledger/types.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { settleUncertain } from '../../../src/ledger/uncertain/settle.ts';
import { Quota } from '../../../src/librarian/gate/quota.ts';
import { pacificDay } from '../../../src/librarian/gate/pacific-day.ts';
import { toProjects } from '../../../src/librarian/gate/shard-project.ts';
import { changePatchState } from '../../../src/patches/change-state.ts';
import type { Actor } from '../../../queues/owner.ts';
import type { Db } from '../../../src/redis/db.ts';
import { RunRecord } from '../../../src/run-record/run-record.ts';
import { Lease } from '../../../src/redis/lease.ts';
import type { ScriptName } from '../../../src/redis/scripts.ts';
import type { CheckedRule } from '../../../src/rules/record.ts';
import { changeRule, saveRule } from '../../../src/rules/store.ts';
import { beginSession } from '../../../src/swarm/session.ts';
import { actingAs, noteChange } from '../../../src/audit/note-change.ts';
import { withAudit } from '../../../src/audit/with-audit.ts';
import { noteActivity } from '../../../src/swarm/activity.ts';
import { countEvent } from '../../../src/swarm/count-event.ts';
import { sampleTallies } from '../../../src/swarm/tallies/sample-tallies.ts';
import { noteLoad } from '../../../src/tasks/batch/lifecycle.ts';
import { toTestFinding } from '../../support/redis/test-finding.ts';
import type { TwiceScenario } from '../../support/redis/run-twice.ts';
import { toTestIdentity } from '../../support/redis/uncertain-call.ts';
import { testShards } from '../../support/fleet/gate.ts';

const USAGE = { input: 10, cache_write: 3, cache_read: 2, output: 5 };
const TOTALS = { nanoUsd: 40, usage: USAGE, calls: 1 };
const NOTE = { log: 'turn 1 of 3', progress: { turn: 1, of: 3, costUsd: 0.1 } };
const REPLY = { text: 'a reply' };
/** What a run has noted, for a script. */
const NOTED = ['3600', '[1,"taken","w"]', '[2,"replayed",3]'];

const ADA: Actor = { who: 'ada@box', from: 'cli', client: null, onLost: () => undefined };

/** An instant after all: what took until then from now took 0 ms, so that two runs count the same. */
const LATER = '9999999999999';

/** The record of a run that has noted something. */
function toNoted(): RunRecord {
  const record = new RunRecord({ clock: { now: () => 7 }, redact: (text) => text }, 3_600);
  record.note({ kind: 'replayed', turns: 2 });
  return record;
}

/** A task of a batch and a mission with a budget of its own, which worker `w` has. */
async function begin(db: Db, by: Db, more: Partial<TaskIdentity> = {}) {
  const task: TaskIdentity = {
    ...toTestIdentity('job-1'),
    token: 'token',
    model: 'claude-haiku-5-5',
    costVendor: 'haiku',
    batch: 'b',
    missionId: 'm',
    budgetNanoUsd: 9_000,
    record: toNoted(),
    ...more,
  };
  const ledger = createTurnLedger({ db: by, workerId: 'w' });
  if (task.token !== '') await hold(db, 'tasks', task.jobId);
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd: 700, first: true });
  const reservation = begun.kind === 'reserved' ? begun.reservation : '';
  if (reservation !== '') await db.redis.hset(db.keys.turns(task.jobId), 'begun', LATER);
  const booking = { reservation, nanoUsd: 40, usage: USAGE };
  return { task, ledger, begun, reservation, booking };
}

async function hold({ redis, keys }: Db, queue: string, jobId: string): Promise<void> {
  await redis.hset(keys.queueKey(queue, jobId), { data: '{}', pb: 'w', timestamp: LATER });
  await redis.lpush(keys.queueKey(queue, 'active'), jobId);
  await redis.set(keys.jobLock(queue, jobId), 'token', 'PX', 60_000);
}

/** Task `job-1` asks its peers. */
function ask(by: Db) {
  const { keys, scripts } = by;
  const held = { turns: keys.turns('job-1'), lock: keys.jobLock('tasks', 'job-1') };
  return scripts['ask-peers'](held, ['token', 'w', 'abc', 60_000, 3, 3]);
}

/** The second of its peers helps it. */
function notePeer(by: Db) {
  const { keys, scripts } = by;
  return scripts['note-peer']({ turns: keys.turns('job-1'), helped: keys.helped }, ['abc', 2, '1', 'f', 'job-1']);
}

/** Adds a task for outside workers. */
async function offer({ redis, keys }: Db, jobId: string): Promise<void> {
  await redis.hset(keys.queueKey('tasks', jobId), { data: '{"for":"outside"}' });
  await redis.zadd(keys.queueKey('tasks', 'delayed'), 1, jobId);
  await redis.zadd(keys.offered, 1, jobId);
}

async function claim(by: Db): Promise<string[]> {
  const taken = await takeTask(by, ['none', 'o'], { token: 'lease', worker: 'w', leaseMs: 60_000, record: toNoted() });
  return [taken.kind, taken.kind === 'claimed' ? taken.jobId : ''];
}

/** Takes a task of a memory shard. */
async function claimListed({ redis, keys }: Db, by: Db): Promise<string> {
  await redis.hset(keys.oldTask('t'), { status: 'pending', type: 'search' });
  await redis.rpush(keys.oldQueue('search'), 't');
  return by.scripts['claim-listed-task'](
    { queue: keys.oldQueue('search'), task: keys.oldTask('t'), listed: keys.bridge('listed') },
    [JSON.stringify(['t', 'fleet_job', 'now', 'job', '{}'])],
  );
}

function claimOld(by: Db, task: string, jobId: string) {
  return claimOldTask(by, { task, form: 'string' }, { jobId, token: 'token', workerId: 'w' });
}

function settle(
  ledger: TurnLedger,
  { task, booking }: Pick<Awaited<ReturnType<typeof begin>>, 'task' | 'booking'>,
  more = {},
) {
  return ledger.settle(task, { epoch: '0', turn: 0 }, { ...booking, ...more }, REPLY, TOTALS, NOTE);
}

/** A rule `r` with a budget, at the first place of the stream. */
async function saveTestRule(by: Db, more: Partial<CheckedRule> = {}): Promise<void> {
  const rule = { match: { topic: 't' }, task: { description: 'Check {finding.id}' }, budgetUsd: 1, ...more };
  await saveRule(by, 'r', rule, { client: undefined, replace: false, cursor: '1-0' });
}

/** Lets the rule decide about three findings; the second one ends too deep a chain, the third is over the limit of the day. */
async function fireRule({ keys }: Db, by: Db): Promise<unknown> {
  const items = ['f1', 'f2', 'f3'].map((finding) => ({
    task: `when-r-${finding}`,
    finding,
    ...(finding === 'f2' ? { deep: '1' } : {}),
    spends: [1],
  }));
  return by.scripts['fire-rule'](
    {
      rule: keys.rule('r'),
      fired: keys.ruleFired('r'),
      pending: keys.rulesPending,
      parked: keys.rulesParked,
      activity: keys.activity,
      spends: [keys.spend('rule:r')],
    },
    [
      JSON.stringify({ call: 'c', name: 'r', version: '1', max: 1, once: 'finding', most_parked: 9, items }),
      ...items.map(({ finding }) => JSON.stringify({ finding })),
    ],
  );
}

async function storeFindings(db: Db, ...ids: string[]): Promise<void> {
  await db.redis.hset(db.keys.session, { name: 'today', findings: 0 });
  for (const id of ids) await noteFinding(db, toTestFinding(id));
}

/** Replaces findings `f1` and `f2` by summary `s`. */
async function compact(db: Db, by: Db): Promise<unknown> {
  const { redis, keys } = db;
  await storeFindings(db, 'f1', 'f2');
  await redis.hset(keys.turns('c'), 'r:0:0', '{}');
  await redis.hset(keys.compactionPieces, 'c', '["f1","f2"]');
  const texts = await redis.mget(keys.finding('f1'), keys.finding('f2'));
  const digests = texts.map((text) =>
    createHash('sha1')
      .update(text ?? '')
      .digest('hex'),
  );
  const summary = toTestFinding('s', { kind: 'summary', job_id: 'c', citations: ['f1', 'f2'] });
  return by.scripts['compact-findings'](
    {
      summary: keys.finding('s'),
      index: keys.index,
      condensed: keys.indexCondensed,
      contextActive: keys.contextActive,
      events: keys.events,
      counters: keys.counters,
      turns: keys.turns('c'),
      pieces: keys.compactionPieces,
      reservations: keys.reservations,
      others: [keys.indexBySession('today'), ...['f1', 'f2'].flatMap((id) => [keys.finding(id), keys.condensed(id)])],
    },
    [
      JSON.stringify({
        job: 'c',
        id: 's',
        at: '1000',
        tokens: '40',
        session: 'today',
        topics: '',
        channel: keys.channelFindings,
        sessions: 1,
        originals: ['f1', 'f2'].map((id, i) => [id, '30', digests[i]]),
      }),
      JSON.stringify(summary),
      ...['f1', 'f2'].map((id) =>
        JSON.stringify(toTestFinding(id, { status: 'condensed', summary_id: 's' } as Partial<Finding>)),
      ),
    ],
  );
}

const projects = toProjects(testShards(2, { project: 'p', rpm: 5, rpd: 50 }));
const project = projects[0]!;
const toQuota = (db: Db): Quota => new Quota({ db, dayAt: pacificDay, pacing: true });
const PERMIT = { id: 'permit', tokens: 100, exclude: [] };

const pace = ({ keys }: Db, by: Db, more: object): Promise<string> =>
  by.scripts.pace({ state: keys.pace('x'), paced: keys.paced, halt: keys.haltReason, counters: keys.counters }, [
    JSON.stringify({
      name: 'x',
      process: 'me',
      nonce: '1',
      lease: 9_000,
      flying: [0, 0, 0],
      peak: 0,
      open: 0,
      ended: {
        count: 0,
        unsent: 0,
        used: [0, 0],
        reserved: [0, 0],
        error: [0, 0],
        counted: 0,
        replied: 0,
        ms: 0,
        shares: {},
      },
      left: [0, 0],
      pauses: [0, 0],
      limits: {},
      refused: [0, 0],
      ages: [0, 0],
      waiting: [0, 1],
      asks: [[2, 500, 300]],
      now: 1_000_000,
      ...more,
    }),
  ]);

/** One for each script: a new script needs one. */
export const TWICE_SCENARIOS: Record<ScriptName, TwiceScenario> = {
  'admit-plan': {
    run: ({ keys }, twice) =>
      twice.scripts['admit-plan'](
        { delegation: keys.delegation('s'), totals: keys.sessionTotals('s'), mission: keys.mission('m') },
        [20, 1, 'admit'],
      ),
  },
  'adopt-finding': {
    async run({ redis, keys }, twice) {
      await redis.set(
        keys.finding('x'),
        JSON.stringify({ finding_id: 'x', result: 'r', session: 'today', topics: ['t'] }),
      );
      return adoptExternal(twice, ['x']);
    },
    again: { result: 0, because: 'only the log names how many were adopted' },
  },
  'answer-listed-task': {
    async run(db, twice) {
      const { redis, keys } = db;
      await claimListed(db, db);
      await redis.hset(keys.bridge('listed'), 'done', '{}');
      await redis.hset(keys.oldTask('e'), { status: 'completed', finding_id: 'other' });
      const answer = (job: string, task: string) =>
        twice.scripts['answer-listed-task'](
          {
            finding: keys.finding(`alias-${task}`),
            aliases: keys.aliases,
            findings: keys.oldShard('s', 'findings'),
            task: keys.oldTask(task),
            listed: keys.bridge('listed'),
          },
          [JSON.stringify([job, `alias-${task}`, 'f', task, 'w', 'now', '{}'])],
        );
      return [await answer('job', 't'), await answer('done', 'e')];
    },
    again: { result: ['known', 'known'], because: 'only the count of what was told names it' },
  },
  'answer-old-query': {
    async run({ redis, keys }, twice) {
      await redis.hset(keys.bridge('asked'), { q: 1, failed: 1 });
      const answer = (id: string, stays: string) =>
        twice.scripts['answer-old-query'](
          {
            finding: keys.finding(`alias-${id}`),
            aliases: keys.aliases,
            findings: keys.queryFindings(id),
            asked: keys.bridge('asked'),
          },
          [JSON.stringify([`alias-${id}`, 'f', id, '{}', stays])],
        );
      return [await answer('q', '0'), await answer('failed', '1')];
    },
    again: { result: ['known', 'told-again'], because: 'only the count of what was told names it' },
  },
  'approve-plan': {
    async run({ redis, keys }, twice) {
      await redis.hset(keys.mission('m'), { state: 'planned', plan: '{}', endedAt: 'now' });
      await redis.hset(keys.spend('mission:m'), 'parked', 'now');
      const order = {
        version: toVersion('{}'),
        approval: '{"by":"ann"}',
        nodes: '[]',
        counts: '{}',
        plan: false,
        at: 'then',
      };
      return twice.scripts['approve-plan']({ mission: keys.mission('m'), spend: keys.spend('mission:m') }, [
        JSON.stringify(order),
      ]);
    },
  },
  'ask-peers': {
    async run(db, twice) {
      await begin(db, db);
      const [state] = await ask(twice);
      return state;
    },
    mayDiffer: { keys: /turns:job-1$/, because: 'the question holds the instant at which it was asked' },
  },
  'begin-turn': {
    async run(db, twice) {
      const { ledger, task, begun } = await begin(db, twice);
      return {
        begun,
        budget: (
          await ledger.begin({ ...task, jobId: 'job-2', token: '' }, { turn: 0, worstNanoUsd: 9_999, first: true })
        ).kind,
      };
    },
  },
  'begun-first': {
    async run({ redis, keys }, twice) {
      await redis.zadd(keys.begunDelayed, 1, 'j');
      await redis.lpush(keys.queueKey('tasks', 'wait'), 'j', 'k');
      const named = {
        begunDelayed: keys.begunDelayed,
        delayed: keys.queueKey('tasks', 'delayed'),
        wait: keys.queueKey('tasks', 'wait'),
      };
      return twice.scripts['begun-first'](named, []);
    },
    again: { result: 0, because: 'nothing depends on how many were moved' },
  },
  'change-patch': {
    async run(db, twice) {
      const { redis, keys } = db;
      await storeFindings(db, 'f');
      await redis.set(keys.finding('f'), JSON.stringify({ ...toTestFinding('f'), patch: { state: 'pending' } }));
      await redis.set(
        keys.patch('f'),
        JSON.stringify({ findingId: 'f', state: 'pending', createdAt: '2026-11-20T10:00:00.000Z' }),
      );
      await redis.set(keys.patchText('f'), 'x');
      return changePatchState(twice, { findingId: 'f', state: 'applied' });
    },
  },
  'change-rule': {
    async run(db, twice) {
      await saveTestRule(db);
      await changeRule(twice, 'r', 'paused', 'why');
      await changeRule(twice, 'r', 'active');
      await changeRule(twice, 'r', 'paused');
    },
  },
  'claim-listed-task': { run: claimListed },
  'claim-old-task': {
    async run(db, twice) {
      const { redis, keys } = db;
      await hold(db, 'tasks', 'job-1');
      await redis.hset(keys.bridge('held'), 'o', JSON.stringify({ job: 'job-1', by: 'old-1', result: '' }));
      const claimed = await claimOld(twice, 'o', 'job-1');
      await hold(db, 'tasks', 'job-2');
      await redis.set(keys.oldTask('p', 'result'), 'finding_p');
      return [claimed, await claimOld(twice, 'p', 'job-2')];
    },
  },
  'claim-task': {
    async run(db, twice) {
      await offer(db, 'o');
      return claim(twice);
    },
  },
  'close-peers': {
    async run(db, twice) {
      await begin(db, db);
      await ask(db);
      await notePeer(db);
      return twice.scripts['close-peers'](
        { turns: db.keys.turns('job-1'), lock: db.keys.jobLock('tasks', 'job-1'), helped: db.keys.helped },
        ['token', 'w', 'abc', '{"why":null}', 'job-1'],
      );
    },
    mayDiffer: { keys: /turns:job-1$/, because: 'the question holds the instant at which it was asked' },
  },
  'close-reservation': {
    async run(db, twice) {
      const first = await begin(db, db);
      const ledger = createTurnLedger({ db: twice, workerId: 'w' });
      await ledger.closeReservation(first.task, first.reservation, 'release');
      const second = await begin(db, db, { jobId: 'job-2' });
      await ledger.closeReservation(second.task, second.reservation, 'uncertain');
    },
  },
  'compact-findings': { run: compact, again: { result: 'already', because: 'the group is done, as after `recorded`' } },
  'count-cancelled': {
    async run({ redis, keys }, twice) {
      await redis.sadd(keys.batchFailed('b'), 'j', 'k');
      await redis.zadd(keys.cancelledEnds('tasks'), 1, 'k', 2, 'l');
      return countCancelled(twice, 'tasks', twice.keys.batchFailed('b'));
    },
  },
  'count-event': {
    run: (_, twice) => countEvent(twice, 'missions_parked'),
    between: (db) => countEvent(db, 'missions_parked'),
  },
  'current-session': {
    async run({ redis, keys }, twice) {
      await redis.mset({ [keys.cost('haiku')]: '0.5', [keys.cost('deepseek')]: '0.75', [keys.cost('other')]: '0.25' });
      await redis.hset(keys.booked, 'deepseek', 750_000_000);
      return beginSession(twice, 'new');
    },
  },
  'delete-if': {
    async run({ redis, keys }, twice) {
      await redis.hset(keys.parked, 'j', 'mark');
      await twice.scripts['delete-if']({ hash: keys.parked }, ['j', 'mark']);
    },
  },
  'drop-entry': {
    async run({ redis, keys }, twice) {
      const list = keys.bridgeInbox('archive_query');
      await redis.rpush(list, 'a', 'b');
      const digest = createHash('sha1').update('a').digest('hex');
      return twice.scripts['drop-entry']({ list }, [digest]);
    },
    again: { result: 0, because: 'nobody reads how many were removed' },
  },
  'failure-reasons': {
    async run({ redis, keys }, twice) {
      await redis.zadd(keys.queueKey('tasks', 'failed'), 1, 'j');
      await redis.hset(keys.queueKey('tasks', 'j'), 'failedReason', 'schema: x');
      return twice.scripts['failure-reasons']({ failed: keys.queueKey('tasks', 'failed') }, [
        keys.queueKey('tasks', ''),
        9,
      ]);
    },
  },
  'find-ended': {
    async run({ redis, keys }, twice) {
      const finding = toTestFinding('f-1', { task: 'pears', job_id: 'gone' });
      await redis.set(keys.finding('f-1'), JSON.stringify(finding));
      await redis.zadd(keys.index, Date.parse(finding.at), 'f-1');
      return readJobPage(twice, { words: 'pears' });
    },
  },
  'find-jobs': {
    async run({ redis, keys }, twice) {
      await redis.hset(keys.queueKey('tasks', 'j'), { data: '{"description":"pears"}', timestamp: 1 });
      await redis.lpush(keys.queueKey('tasks', 'wait'), 'j');
      return readJobPage(twice, { words: 'pears' });
    },
  },
  'finish-answer': {
    async run(db, twice) {
      const { keys } = db;
      const { task, ledger, booking } = await begin(db, db);
      const booked = ledger.bookingParts(task, booking);
      const named = {
        ...booked.keys,
        finding: keys.finding('q'),
        answers: keys.indexAnswers,
        response: keys.response('q'),
        activity: keys.activity,
      };
      const fields = {
        ...booked.fields,
        log: 'answered',
        job: 'job-1',
        id: 'q',
        at: '1000',
        query: 'q',
        responses_channel: keys.channelResponses,
      };
      return twice.scripts['finish-answer'](named, [
        JSON.stringify(fields),
        JSON.stringify(toTestFinding('q')),
        '{"answer":1}',
      ]);
    },
    again: { result: 'already', because: 'the job ends as after `recorded`' },
  },
  'finish-mission': {
    async run(db, twice) {
      const { redis, keys } = db;
      await hold(db, 'missions', 'm');
      await redis.hset(keys.session, { name: 'today', findings: 1 });
      await redis.hset(keys.mission('m'), { state: 'running', nodes: '[]' });
      const fields = {
        token: 'token',
        worker: 'w',
        job: 'm',
        id: 'f',
        at: '1000',
        ended: 'now',
        tokens: '9',
        session: 'today',
        shard: 'house',
        log: 'done',
        topics: '',
      };
      const channels = { findings_channel: keys.channelFindings, completions_channel: keys.channelCompletions };
      return twice.scripts['finish-mission'](
        {
          turns: keys.turns('m'),
          lock: keys.jobLock('missions', 'm'),
          logs: keys.jobLogs('missions', 'm'),
          finding: keys.finding('f'),
          index: keys.index,
          bySession: keys.indexBySession('today'),
          contextActive: keys.contextActive,
          session: keys.session,
          events: keys.events,
          mission: keys.mission('m'),
          added: keys.missionAdded('m'),
          byShard: keys.indexByShard('house'),
          reservations: keys.reservations,
          counters: keys.counters,
          run: keys.run('m'),
          metrics: keys.metrics,
        },
        [
          JSON.stringify({ ...fields, ...channels, record: NOTED }),
          JSON.stringify(toTestFinding('f', { job_id: 'm' })),
        ],
      );
    },
    again: { result: 'already', because: 'the job ends as after `recorded`' },
  },
  'finish-task': {
    async run(db, twice) {
      await db.redis.hset(db.keys.session, { name: 'today', findings: 0 });
      await db.redis.hset(db.keys.mission('m'), 'state', 'running');
      const ledger = createTurnLedger({ db: twice, workerId: 'w' });
      const finish = async ({ task, booking }: Awaited<ReturnType<typeof begin>>) =>
        ledger.finish(
          task,
          toTestFinding(task.findingId, { job_id: task.jobId, batch: 'b', status: 'partial' }),
          booking,
          NOTE,
        );
      await db.redis.hset(db.keys.bridge('claims'), 'o', JSON.stringify({ job: 'job-1', by: 'w' }));
      await db.redis.set(db.keys.oldTask('o', 'error'), 'failed');
      await finish(await begin(db, db, { oldId: 'o' }));
      return finish(await begin(db, db, { jobId: 'job-2', findingId: 'finding_job-2' }));
    },
    async between(db) {
      const isSecond = (await db.redis.exists(db.keys.finding('finding_job-2'))) === 1;
      await retractFinding(db, { id: isSecond ? 'finding_job-2' : 'finding_job-1', why: 'wrong', by: 'a person' });
    },
    again: { result: 'already', because: 'the job ends as after `recorded`' },
  },
  'fire-rule': {
    async run(db, twice) {
      await saveTestRule(db);
      return fireRule(db, twice);
    },
  },
  'import-finding': {
    run: (_, twice) => {
      const lines = ['x', 'y'].map((id) => `${JSON.stringify(toTestFinding(id))}\n`);
      return importFindings(
        twice,
        (async function* () {
          yield* lines;
        })(),
        { onBad: () => undefined },
      );
    },
  },
  'keep-reply': {
    async run(db, twice) {
      const { task } = await begin(db, db);
      await createTurnLedger({ db: twice, workerId: 'w' }).keepReply(task, { epoch: '0', turn: 0 }, REPLY);
    },
  },
  'keep-tools': {
    async run(db, twice) {
      const { task } = await begin(db, db);
      await createTurnLedger({ db: twice, workerId: 'w' }).keepToolResults(task, { turn: 0, epoch: '0', json: '[]' });
    },
  },
  'note-activity': {
    run: (_, twice) => noteActivity(twice, { what: 'joined', id: 'w' }),
    between: (db) => noteActivity(db, { what: 'left', id: 'w' }),
  },
  'note-change': {
    run: (_, twice) =>
      withAudit(actingAs(twice, ADA), { what: 'halt' }, (note) =>
        note({ what: 'halt', after: { halt: 'person: prices' } }),
      ),
    between: (db) => noteChange(actingAs(db, ADA), { what: 'resume' }),
    mayDiffer: { keys: /:once:/, because: 'it holds the id of the entry, which counts those of one millisecond' },
  },
  'note-death': {
    async run(db, twice) {
      const { redis, keys } = db;
      await redis.hset(keys.processes('tasks'), 'gone', '1|{}');
      await redis.lpush(keys.queueKey('tasks', 'active'), 'j');
      await redis.set(keys.jobLock('tasks', 'j'), 'gone:1');
      const bull = ['active', 'stalled', 'stalled-check'].map((part) => keys.queueKey('tasks', part));
      const [active = '', stalled = '', stalledCheck = ''] = bull;
      return twice.scripts['note-death'](
        { processes: keys.processes('tasks'), deaths: keys.deaths('tasks'), active, stalled, stalledCheck },
        ['gone', 1],
      );
    },
    again: { result: -1, because: 'BullMQ finds the freed jobs at its next look, within seconds' },
  },
  'note-places': {
    async run(db, twice) {
      await saveTestRule(db);
      const places = [{ version: '1', cursor: '2-0', past: '{}', problem: 'p' }];
      return twice.scripts['note-places']({ places: [db.keys.rule('r')] }, [JSON.stringify(places)]);
    },
  },
  'note-peer': {
    async run(db, twice) {
      await begin(db, db);
      await ask(db);
      return notePeer(twice);
    },
    mayDiffer: { keys: /(?:turns:job-1|helped)$/, because: 'they hold the instants of the question and its answer' },
  },
  'note-process': {
    run: async ({ keys }, twice) =>
      (await twice.scripts['note-process']({ processes: keys.processes('tasks') }, ['me', '{}'])).slice(0, 2),
  },
  'note-departure': { run: (_, twice) => toQuota(twice).noteDeparture(project, { id: 'p', tokens: 9, shard: 1 }) },
  'note-failure': {
    async run(db, twice) {
      const { redis, keys } = db;
      await hold(db, 'tasks', 'j');
      await redis.hset(keys.turns('j'), 'totals', 'all');
      await redis.zadd(keys.cancelled, 1, 'j');
      const named = {
        counters: keys.counters,
        job: keys.queueKey('tasks', 'j'),
        lock: keys.jobLock('tasks', 'j'),
        turns: keys.turns('j'),
        cancelled: keys.cancelled,
        cancelledEnds: keys.cancelledEnds('tasks'),
        run: keys.run('j'),
        metrics: keys.metrics,
      };
      const rework = {
        activity: keys.activity,
        ledger: keys.ledger('day'),
        ledgerDays: keys.ledgerDays,
        totals: keys.sessionTotals('s'),
      };
      const spent = {
        day: 'day',
        row: 'row|',
        totals: 'all',
        ledger: { nano: 9, tasks: 1 },
        session: { nano: 9, tokens: 2, tasks: 1 },
      };
      const fields = {
        call: 'c',
        job: 'j',
        token: 'token',
        worker: 'w',
        counter: 'failed_cancelled',
        at: '5',
        cause: 'task',
        attempt: '0',
        keep_seconds: 60,
        spent,
        record: NOTED,
      };
      return twice.scripts['note-failure']({ ...named, ...rework, batchFailed: keys.batchFailed('b') }, [
        JSON.stringify(fields),
      ]);
    },
    again: { result: 0, because: 'the caller reads no answer' },
  },
  'note-finding': { run: async (db, twice) => (await storeFindings(db), noteFinding(twice, toTestFinding('f'))) },
  'note-input': {
    async run(db, twice) {
      const { reservation } = await begin(db, db);
      const lost = await begin(db, db, { jobId: 'job-2' });
      await lost.ledger.closeReservation(lost.task, lost.reservation, 'uncertain');
      const lower = (id: string): Promise<number> =>
        twice.scripts['note-input']({ reservations: twice.keys.reservations }, [id, '300']);
      return [await lower(reservation), await lower(lost.reservation)];
    },
    again: { result: [0, 0], because: 'the caller reads no answer' },
  },
  'note-load': {
    async run({ redis, keys }, twice) {
      await redis.sadd(keys.batchFailed('b'), 'j', 'k');
      await noteLoad(twice, 'b', { lines: 9, added: 8 });
      await noteLoad(twice, 'b', { ends: true, seen: 8, begins_round: true });
      await noteLoad(twice, 'b', { retried: 'j', begins_round: true });
    },
    between: (db) => noteLoad(db, 'b', { added: 5 }),
  },
  'note-outage': {
    async run(_, twice) {
      const silent = new CallTimeoutError('m', 'idle', 'silent', { silentMs: 5 });
      const first = await countUnavailable(twice, 'j', new ProviderUnavailableError('m', true, 'down'));
      return [first.failures, (await countUnavailable(twice, 'j', silent)).failures];
    },
  },
  'note-outcome': {
    async run(db, twice) {
      const { keys } = db;
      await hold(db, 'tasks', 'j');
      const job = { job: keys.queueKey('tasks', 'j'), logs: keys.jobLogs('tasks', 'j'), run: keys.run('j') };
      const args = ['waits_budget', 'a line', 'c', JSON.stringify(NOTED)];
      return twice.scripts['note-outcome']({ counters: keys.counters, ...job }, args);
    },
    again: { result: 0, because: 'the caller reads no answer' },
  },
  'note-quota': {
    async run(_, twice) {
      const quota = toQuota(twice);
      const answers = [];
      for (const [i, scope] of (['minute', 'tokens', 'day'] as const).entries())
        answers.push(await quota.note429(project, { scope, retryAfterMs: 5_000 * (i + 1), statedLimit: 3 }));
      return answers;
    },
  },
  'note-replies': {
    run: ({ keys }, twice) =>
      twice.scripts['note-replies']({ sizes: keys.replySizes }, ['m||none', 'nonce', 9, 5, 4, 3, 2, 1, 0]),
  },
  'note-run': {
    async run(db, twice) {
      await hold(db, 'tasks', 'j');
      const named = { job: db.keys.queueKey('tasks', 'j'), run: db.keys.run('j') };
      return twice.scripts['note-run'](named, [JSON.stringify({ call: 'c', record: NOTED })]);
    },
    again: { result: 0, because: 'the caller reads no answer' },
  },
  'note-shard': {
    async run(_, twice) {
      const quota = toQuota(twice);
      return [
        await quota.noteFailure(1, 'failing', 'x', [1_000, 60_000]),
        await quota.noteFailure(1, 'failing', 'x', [1_000, 60_000]),
      ];
    },
  },
  'note-timeout': {
    async run(db, twice) {
      const { task } = await begin(db, db);
      const ledger = createTurnLedger({ db: twice, workerId: 'w' });
      const error = new CallTimeoutError('m', 'idle', 'late', { silentMs: 5 });
      return ledger.noteTimeout(task, { epoch: '0', turn: 0 }, error);
    },
  },
  pace: {
    async run(db, twice) {
      const first = await pace(db, twice, {});
      const ended = {
        count: 1,
        unsent: 0,
        used: [400, 200],
        reserved: [500, 300],
        error: [9, 9],
        counted: 400,
        replied: 200,
        ms: 50,
        shares: {},
      };
      return [
        first,
        await pace(db, twice, { nonce: 'own', own: { requests: 60, concurrent: 2 }, who: 'haiku-1' }),
        await pace(db, twice, { nonce: '2', ended, refused: [1, 5_000], asks: [], waiting: [0, 0], leaves: true }),
      ];
    },
  },
  'pay-owed': {
    async run({ redis, keys }, twice) {
      await redis.hset(keys.owed, { haiku: 500, deepseek: 700 });
      await redis.set(keys.cost('haiku'), '0.5');
      return payOwed(twice);
    },
    again: { result: 0, because: 'the caller reads no answer' },
  },
  'plan-permit': {
    run: async (_, twice) =>
      (await toQuota(twice).plan(projects, 100, [])).views.map(({ delayMs, rpm }) => ({ delayMs, rpm })),
    mayDiffer: { keys: /gate-turn$/, because: 'the turn only decides which project is asked first' },
  },
  'raise-calls': {
    async run({ redis, keys }, twice) {
      const named = { project: keys.shardProject(project.id), shards: [keys.shardQuota(1), keys.shardStatus(1)] };
      await redis.hset(named.project, { rpd: 20, rpd_day: 'today', rpd_last: 20 });
      await redis.set(keys.shardQuota(1), 3, 'EX', 600);
      await twice.scripts['raise-calls'](named, [30, 'today']);
    },
  },
  'release-chain': {
    async run(db, twice) {
      const { redis, keys } = db;
      await saveTestRule(db);
      await fireRule(db, db);
      const text = (await redis.hget(keys.rulesParked, 'when-r-f2')) ?? '';
      const named = { rule: keys.rule('r'), pending: keys.rulesPending, parked: keys.rulesParked };
      return twice.scripts['release-chain'](named, ['when-r-f2', text, '{}']);
    },
  },
  'release-lease': {
    async run(_, twice) {
      const lease = new Lease(twice, twice.keys.lease('x'));
      await lease.take();
      await lease.release();
    },
  },
  'renew-claim': {
    async run(db, twice) {
      await offer(db, 'o');
      await claim(db);
      return (await renewTask(twice, 'o', { token: 'lease', leaseMs: 60_000 })) !== null;
    },
  },
  'renew-locks': {
    async run(db, twice) {
      const { keys } = db;
      await hold(db, 'tasks', 'j');
      return twice.scripts['renew-locks'](
        { stalled: keys.queueKey('tasks', 'stalled'), locks: [keys.jobLock('tasks', 'j'), keys.jobLock('tasks', 'k')] },
        ['w', 10_000, 'token', 'j', 'token', 'k'],
      );
    },
  },
  'renew-old-claims': {
    async run(db, twice) {
      const { redis, keys } = db;
      await hold(db, 'tasks', 'job-1');
      await redis.hset(keys.queueKey('tasks', 'job-1'), 'timestamp', '1');
      await redis.hset(keys.bridge('claims'), {
        open: JSON.stringify({ job: 'job-1', by: 'w' }),
        gone: JSON.stringify({ job: 'job-0', by: 'w' }),
        left: JSON.stringify({ job: 'job-3', by: 'w' }),
      });
      await redis.set(keys.oldTask('left', 'claimed'), 'w', 'EX', 100);
      return renewOldClaims(twice);
    },
  },
  'replace-context': {
    async run(db, twice) {
      await saveContext(db, 'house', 'one');
      return (await saveContext(twice, 'house', 'two')).sha256;
    },
  },
  'restore-findings': {
    async run(db, twice) {
      await compact(db, db);
      return (await retractFinding(twice, { id: 's', why: 'wrong', by: 'me' })).restored;
    },
  },
  'restore-permits': {
    run: (_, twice) => toQuota(twice).restore(project, [{ id: 'p', ageMs: 9, tokens: 5, shard: 1 }]),
    again: { result: 0, because: 'only the log names how many were lost' },
  },
  'retract-finding': {
    async run(db, twice) {
      await storeFindings(db, 'f');
      return (await retractFinding(twice, { id: 'f', why: 'wrong', by: 'me' })).id;
    },
  },
  'return-permit': {
    async run(db, twice) {
      const taken = await toQuota(db).take(project, PERMIT);
      await toQuota(twice).giveBack(project, PERMIT.id, taken.kind === 'granted' ? taken.day : '');
    },
  },
  'return-task': {
    async run(db, twice) {
      await offer(db, 'o');
      await claim(db);
      return releaseTask(twice, { taskId: 'o', lease: 'lease', why: 'w gave it back', record: toNoted() });
    },
    mayDiffer: { keys: /tasks:(?:delayed|events)$/, because: 'they hold the instant of the run, ten years later' },
  },
  'sample-tallies': {
    async run({ redis, keys }, twice) {
      await redis.hset(keys.metrics, { 'job|tasks|completed|1000': 3, 'nano|haiku|m': 4 });
      const first = await sampleTallies(twice, 1_800_000_000_000);
      return `${first} ${await sampleTallies(twice, 1_800_000_060_000)}`;
    },
    between: ({ redis, keys }) => redis.hincrby(keys.metrics, 'job|tasks|completed|1000', 1),
  },
  'save-rule': {
    run: (_, twice) => saveTestRule(twice, { since: '7d' }),
  },
  'settle-permit': {
    async run(db, twice) {
      await toQuota(db).take(project, PERMIT);
      await toQuota(twice).settle(project, PERMIT.id, 70);
    },
  },
  'settle-turn': {
    async run(db, twice) {
      const ledger = createTurnLedger({ db: twice, workerId: 'w' });
      const answers: unknown[] = [await settle(ledger, await begin(db, db))];
      const broken = await begin(db, db, { jobId: 'job-2' });
      answers.push(await settle(ledger, broken, { isBroken: true }), await settle(ledger, broken)); // its reply comes late
      const taken = await begin(db, db, { jobId: 'job-3' });
      await db.redis.set(db.keys.jobLock('tasks', 'job-3'), 'other');
      return [...answers, await settle(ledger, taken)];
    },
    async between(db) {
      if ((await db.redis.exists(db.keys.turns('job-9'))) === 0) await begin(db, db, { jobId: 'job-9' }); // in the same scopes
    },
  },
  'settle-uncertain': {
    async run(db, twice) {
      const { task, reservation } = await begin(db, db);
      await createTurnLedger({ db, workerId: 'w' }).closeReservation(task, reservation, 'uncertain');
      const [call] = await readUncertain(db);
      return settleUncertain(twice, call!, { nanoUsd: 55, usage: USAGE, by: 'me', why: 'bill' });
    },
  },
  'sweep-reservation': {
    async run(db, twice) {
      await begin(db, db, { token: '' });
      return sweepReservations(twice, { olderThanMs: -60_000 });
    },
    again: { result: 0, because: 'only the log names how many were swept' },
  },
  'take-permit': {
    async run(_, twice) {
      const { kind } = await toQuota(twice).take(project, PERMIT);
      return kind;
    },
    mayDiffer: { keys: /gate-epoch$/, because: 'never' },
  },
  'wake-mission': {
    async run({ redis, keys }, twice) {
      await redis.hset(keys.queueKey('missions', 'm'), 'data', '{}');
      await redis.sadd(keys.queueKey('missions', 'm:dependencies'), keys.queueKey('tasks', 'gone'));
      await redis.zadd(keys.queueKey('missions', 'waiting-children'), 1, 'm');
      const part = (name: string): string => keys.queueKey('missions', name);
      const own = {
        waitingChildren: part('waiting-children'),
        wait: part('wait'),
        meta: part('meta'),
        marker: part('marker'),
        events: part('events'),
      };
      const tied = { dependencies: part('m:dependencies'), job: part('m'), children: [keys.queueKey('tasks', 'gone')] };
      return twice.scripts['wake-mission']({ ...own, ...tied }, ['m']);
    },
    again: {
      result: [0, 0],
      because: 'only counter and log name what was mended; the next look finds nothing to mend',
    },
  },
};
