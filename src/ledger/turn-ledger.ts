import type { Keys, CostVendor } from '../redis/keys.ts';
import type { Scripts } from '../redis/scripts.ts';
import type { Usage } from '../models/usage.ts';
import type { Finding } from '../findings/finding.ts';
import { toUtcDay } from '../findings/timestamp.ts';
import type { QueueName } from '../../queues/registry.ts';
import { tasksQueue } from '../../queues/tasks.ts';
import { DEFAULT_BUDGET_NANO_USD } from './budget.ts';
import { toExactUsd } from './money.ts';
import { NO_USAGE } from './usage.ts';

/** What identifies one run of one task to the ledger. */
export interface TaskIdentity {
  jobId: string;
  /** BullMQ's lock token; empty in single mode, where there is no lock to lose. */
  token: string;
  /** Failures before this run: BullMQ's `attemptsMade`. */
  attempt: number;
  /** Hash of the task as a person would edit it: a changed task starts afresh. */
  digest: string;
  findingId: string;
  session: string;
  batch: string | null;
  missionId: string | null;
  /** Own budget of the task in nano-dollars; null: none. */
  budgetNanoUsd: number | null;
  model: string;
  costVendor: CostVendor;
}

/** What the job has cost so far, over all its runs. */
export interface JobTotals {
  nanoUsd: number;
  usage: Usage;
  calls: number;
}

export type BeginAnswer =
  | { kind: 'reserved'; epoch: string; reservation: string }
  | { kind: 'replay'; epoch: string; totals: JobTotals; stored: Map<string, string> }
  | { kind: 'done'; finding: string }
  | { kind: 'taken' | 'lock-lost' | 'cancelled' }
  | { kind: 'halted'; reason: string }
  | { kind: 'cooling'; delayMs: number }
  | { kind: 'budget'; scope: 'day' | 'task' | 'batch' | 'mission'; name: string; limit: number; spent: number };

/** One served call, as it is booked. */
export interface Booking {
  reservation: string;
  nanoUsd: number;
  usage: Usage;
}

export interface BeginRequest {
  turn: number;
  worstNanoUsd: number;
  /** First question of this run: answers with what is stored instead of reserving. */
  first: boolean;
  /** Results of the tools the last reply asked for; stored in the same step. */
  toolResults?: { turn: number; epoch: string; json: string };
}

/**
 * The response ledger: reserve before a call, then store the reply, book it and settle in one script. A worker may die
 * between any two calls here; what was stored is replayed, what was only reserved becomes *uncertain*.
 */
export interface TurnLedger {
  begin(task: TaskIdentity, request: BeginRequest): Promise<BeginAnswer>;
  /** @param reply null books without storing: a billed reply that cannot be used */
  settle(
    task: TaskIdentity,
    turn: { epoch: string; turn: number },
    booking: Booking,
    reply: object | null,
    totals: JobTotals,
    logLine: string,
  ): Promise<'stored' | 'booked' | 'lock-lost'>;
  /** Books the last call and records the finding, once. @param booking null: the last reply was replayed */
  finish(
    task: TaskIdentity,
    finding: Finding,
    booking: Booking | null,
    logLine: string,
  ): Promise<'recorded' | 'already' | 'taken' | 'lock-lost'>;
  /** Leaves a paid reply to whoever has the job now. */
  keepReply(task: TaskIdentity, turn: { epoch: string; turn: number }, reply: object): Promise<void>;
  /** Stores tool results without asking for another call. */
  keepToolResults(task: TaskIdentity, results: { turn: number; epoch: string; json: string }): Promise<void>;
  /** `release`: not sent or not billed. `uncertain`: nobody knows; the worst case stays booked. */
  closeReservation(task: TaskIdentity, reservation: string, mode: 'release' | 'uncertain'): Promise<void>;
  /** For scripts that end a job with a record of their own: the keys and fields that `lib/booking.lua` and `lib/lock.lua` need. */
  bookingParts(task: TaskIdentity, booking: Booking | null): { keys: string[]; fields: object };
}

export function createTurnLedger(options: {
  scripts: Scripts;
  keys: Keys;
  workerId: string;
  now: () => Date;
  /** Whose jobs these are; default the tasks queue. */
  queue?: QueueName;
}): TurnLedger {
  const { scripts, keys, workerId, now, queue = tasksQueue.name } = options;

  function scopeKeys(task: TaskIdentity): string[] {
    const scopes = [keys.spend(`day:${toUtcDay(now())}`)];
    if (task.budgetNanoUsd !== null) scopes.push(keys.spend(`task:${task.jobId}`));
    if (task.batch !== null) scopes.push(keys.spend(`batch:${task.batch}`));
    if (task.missionId !== null) scopes.push(keys.spend(`mission:${task.missionId}`));
    return scopes;
  }

  function ownKeys(task: TaskIdentity): string[] {
    return [keys.indexByBatch(task.batch ?? ''), keys.batchFailed(task.batch ?? ''), keys.spend(`task:${task.jobId}`)];
  }

  function bookingKeys(task: TaskIdentity): string[] {
    const day = toUtcDay(now());
    return [
      keys.turns(task.jobId),
      keys.jobLock(queue, task.jobId),
      keys.reservations,
      keys.counters,
      keys.spend(`day:${day}`),
      keys.ledger(day),
      keys.sessionTotals(task.session),
      keys.cost(task.costVendor),
      keys.outage(task.model),
      keys.cooldown(task.model),
      keys.jobLogs(queue, task.jobId),
      keys.ledgerDays,
    ];
  }

  function bookingFields(task: TaskIdentity, booking: Booking | null): object {
    const usage = booking?.usage ?? NO_USAGE;
    const nano = booking?.nanoUsd ?? 0;
    return {
      token: task.token,
      worker: workerId,
      reservation: booking?.reservation ?? '',
      nano: String(nano),
      usd: toExactUsd(nano),
      row: toLedgerRow(task, workerId),
      vendor: task.costVendor,
      usage: [usage.input, usage.cache_write, usage.cache_read, usage.output].map(String),
    };
  }

  return {
    async begin(task, request) {
      const answer = await scripts['begin-turn'](
        [
          keys.turns(task.jobId),
          keys.jobLock(queue, task.jobId),
          keys.finding(task.findingId),
          keys.haltReason,
          keys.cancelled,
          keys.cooldown(task.model),
          keys.outage(task.model),
          keys.reservations,
          keys.counters,
          keys.budget,
          ...scopeKeys(task),
        ],
        [
          pack([
            task.jobId,
            task.token,
            task.attempt,
            task.digest,
            request.turn,
            request.worstNanoUsd,
            now().getTime(),
            workerId,
            request.first ? 1 : 0,
            DEFAULT_BUDGET_NANO_USD,
            task.budgetNanoUsd ?? '',
            request.toolResults === undefined ? '' : `t:${request.toolResults.epoch}:${request.toolResults.turn}`,
          ]),
          request.toolResults?.json ?? '',
        ],
      );
      return toBeginAnswer(answer as (string | number)[], keys);
    },

    async settle(task, { epoch, turn }, booking, reply, totals, logLine) {
      const fields = {
        ...bookingFields(task, booking),
        field: `r:${epoch}:${turn}`,
        totals: JSON.stringify(totals),
        log: logLine,
      };
      const answer = await scripts['settle-turn'](bookingKeys(task), [
        JSON.stringify(fields),
        reply === null ? '' : JSON.stringify(reply),
      ]);
      return answer as 'stored' | 'booked' | 'lock-lost';
    },

    async finish(task, finding, booking, logLine) {
      const text = JSON.stringify(finding);
      const answer = await scripts['finish-task'](
        [
          ...bookingKeys(task),
          keys.finding(task.findingId),
          keys.index,
          keys.indexBySession(task.session),
          keys.contextActive,
          keys.session,
          keys.events,
          ...(task.batch === null && task.budgetNanoUsd === null ? [] : ownKeys(task)),
        ],
        [
          JSON.stringify({
            ...bookingFields(task, booking),
            log: logLine,
            job: task.jobId,
            id: task.findingId,
            at: String(now().getTime()),
            tokens: String(Math.ceil(text.length / 4)),
            session: task.session,
            batch: task.batch ?? '',
            findings_channel: keys.channelFindings,
            completions_channel: keys.channelCompletions,
            topics: finding.topics.join(','),
          }),
          text,
        ],
      );
      return answer as 'recorded' | 'already' | 'taken' | 'lock-lost';
    },

    async keepReply(task, { epoch, turn }, reply) {
      await scripts['keep-reply']([keys.turns(task.jobId)], [`r:${epoch}:${turn}`, JSON.stringify(reply)]);
    },

    async keepToolResults(task, results) {
      await scripts['keep-tools'](
        [keys.turns(task.jobId), keys.jobLock(queue, task.jobId)],
        [task.token, workerId, `t:${results.epoch}:${results.turn}`, results.json],
      );
    },

    async closeReservation(task, reservation, mode) {
      await scripts['close-reservation'](
        [keys.turns(task.jobId), keys.reservations, keys.counters],
        [reservation, mode],
      );
    },

    bookingParts: (task, booking) => ({ keys: bookingKeys(task), fields: bookingFields(task, booking) }),
  };
}

/** Many short arguments as one: each argument of a command costs the client more than its bytes. Text only: no float meets a counter. */
function pack(values: (string | number)[]): string {
  return JSON.stringify(values.map(String));
}

/** `session|batch|mission|model|worker|`: the first part of a ledger field; the measure follows. Read by `report.ts`. */
function toLedgerRow(task: TaskIdentity, workerId: string): string {
  const parts = [task.session, task.batch ?? '', task.missionId ?? '', task.model, workerId];
  return `${parts.map((part) => part.replace(/[%|]/g, encodeURIComponent)).join('|')}|`;
}

function toBeginAnswer(answer: (string | number)[], keys: Keys): BeginAnswer {
  const [kind = '', ...rest] = answer.map(String);
  switch (kind) {
    case 'reserved':
      return { kind, epoch: rest[0] ?? '0', reservation: rest[1] ?? '' };
    case 'replay': {
      const stored = new Map<string, string>();
      for (let at = 2; at < rest.length; at += 2) stored.set(rest[at] ?? '', rest[at + 1] ?? '');
      return { kind, epoch: rest[0] ?? '0', totals: toTotals(rest[1] ?? ''), stored };
    }
    case 'done':
      return { kind, finding: rest[0] ?? '' };
    case 'taken':
    case 'lock-lost':
    case 'cancelled':
      return { kind };
    case 'halted':
      return { kind, reason: rest[0] ?? '' };
    case 'cooling':
      return { kind, delayMs: Number(rest[0]) };
    case 'budget': {
      const [where = 'day', limit, ...spent] = rest;
      const [scope, name] = where === 'day' ? ['day', ''] : toScope(where, keys);
      return {
        kind,
        scope: scope as 'day' | 'task' | 'batch' | 'mission',
        name,
        limit: Number(limit),
        spent: spent.reduce((sum, part) => sum + Number(part), 0),
      };
    }
    default:
      throw new TypeError(`begin-turn: unknown answer ${JSON.stringify(kind)}`);
  }
}

/** `{fleet}:spend:batch:nightly` → `['batch', 'nightly']`. */
function toScope(key: string, keys: Keys): [string, string] {
  const scope = key.slice(keys.spend('').length);
  const colon = scope.indexOf(':');
  return [scope.slice(0, colon), scope.slice(colon + 1)];
}

function toTotals(json: string): JobTotals {
  return json === '' ? { nanoUsd: 0, usage: { ...NO_USAGE }, calls: 0 } : (JSON.parse(json) as JobTotals);
}
