import { tasksQueue } from '../../queues/tasks.ts';
import type { QueueName } from '../../queues/registry.ts';
import { toUtcDay } from '../findings/timestamp.ts';
import type { Keys } from '../redis/keys.ts';
import type { Scripts } from '../redis/scripts.ts';
import { toBeginAnswer } from './begin-answer.ts';
import { DEFAULT_BUDGET_NANO_USD } from './budget.ts';
import { toExactUsd } from './money.ts';
import type { Booking, TaskIdentity, TurnLedger } from './turn-ledger-shape.ts';
import { NO_USAGE } from './usage.ts';

/** The ledger of one queue's jobs, kept in Redis scripts. */
export function createTurnLedger(options: {
  scripts: Scripts;
  keys: Keys;
  workerId: string;
  now: () => Date;
  /** Whose jobs these are; default the tasks queue. */
  queue?: QueueName;
  /** Adds every booking to these fields of the session's totals too: calls that are no task's, shown apart. */
  apart?: 'coordinator';
}): TurnLedger {
  const { scripts, keys, workerId, now, queue = tasksQueue.name, apart } = options;
  const toRow = createRowMemo(workerId);
  const today = createDayMemo(keys);

  function scopeKeys(task: TaskIdentity): string[] {
    const scopes = [today(now()).spend];
    if (task.budgetNanoUsd !== null) scopes.push(keys.spend(`task:${task.jobId}`));
    if (task.batch !== null) scopes.push(keys.spend(`batch:${task.batch}`));
    if (task.missionId !== null) scopes.push(keys.spend(`mission:${task.missionId}`));
    return scopes;
  }

  function ownKeys(task: TaskIdentity): string[] {
    return [keys.indexByBatch(task.batch ?? ''), keys.batchFailed(task.batch ?? ''), keys.spend(`task:${task.jobId}`)];
  }

  function bookingKeys(task: TaskIdentity): string[] {
    const day = today(now());
    return [
      keys.turns(task.jobId),
      keys.jobLock(queue, task.jobId),
      keys.reservations,
      keys.counters,
      day.spend,
      day.ledger,
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
      row: toRow(task),
      vendor: task.costVendor,
      ...(booking?.listNanoUsd === undefined ? {} : { list_nano: String(booking.listNanoUsd) }),
      ...(apart === undefined ? {} : { apart }),
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

    async settle(task, { epoch, turn }, booking, reply, totals, note) {
      const fields = {
        ...bookingFields(task, booking),
        field: `r:${epoch}:${turn}`,
        totals: JSON.stringify(totals),
        log: note.log,
        progress: JSON.stringify(note.progress),
      };
      const answer = await scripts['settle-turn'](bookingKeys(task), [
        JSON.stringify(fields),
        reply === null ? '' : JSON.stringify(reply),
      ]);
      return answer as 'stored' | 'booked' | 'lock-lost';
    },

    async finish(task, finding, booking, note) {
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
            log: note.log,
            progress: JSON.stringify(note.progress),
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

/** Thousands of tasks in a row share their session, batch and model. */
function createRowMemo(workerId: string): (task: TaskIdentity) => string {
  let last: TaskIdentity | null = null;
  let row = '';
  return (task) => {
    const same =
      last !== null &&
      last.session === task.session &&
      last.batch === task.batch &&
      last.missionId === task.missionId &&
      last.model === task.model;
    if (!same) row = toLedgerRow(task, workerId);
    last = task;
    return row;
  };
}

/** The keys of the day, made anew when it ends. */
function createDayMemo(keys: Keys): (at: Date) => { spend: string; ledger: string } {
  let known: { spend: string; ledger: string } | null = null;
  let number = -1;
  return (at) => {
    const dayNumber = Math.floor(at.getTime() / 86_400_000);
    if (known === null || dayNumber !== number) {
      const day = toUtcDay(at);
      known = { spend: keys.spend(`day:${day}`), ledger: keys.ledger(day) };
      number = dayNumber;
    }
    return known;
  };
}
