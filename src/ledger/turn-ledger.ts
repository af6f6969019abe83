import { tasksQueue } from '../../queues/tasks.ts';
import type { QueueName } from '../../queues/registry.ts';
import { toBeginAnswer } from './refusals.ts';
import { createBookingGroups } from './booking-groups.ts';
import type { Booking, RecordAnswer, TaskIdentity, TurnLedger } from './types.ts';
import { NO_USAGE } from '../pricing/tokens.ts';
import type { Db } from '../redis/db.ts';

/** The ledger of one queue's jobs, kept in Redis scripts. */
export function createTurnLedger(options: {
  db: Db;
  workerId: string;
  now: () => Date;
  /** Whose jobs these are; default the tasks queue. */
  queue?: QueueName;
  /** Adds every booking to these fields of the session's totals too: calls that are no task's, shown apart. */
  apart?: 'coordinator';
}): TurnLedger {
  const { workerId, now, queue = tasksQueue.name, apart } = options;
  const { keys, scripts } = options.db;
  const toBookingGroup = createBookingGroups({ keys, workerId });

  function bookingKeys(task: TaskIdentity): string[] {
    const { day } = toBookingGroup(task, now());
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
      row: toBookingGroup(task, now()).row,
      vendor: task.costVendor,
      ...(booking?.listNanoUsd === undefined ? {} : { list_nano: String(booking.listNanoUsd) }),
      ...(apart === undefined ? {} : { apart }),
      usage: [usage.input, usage.cache_write, usage.cache_read, usage.output].map(String),
    };
  }

  return {
    async begin(task, request) {
      const at = now();
      const own = [keys.turns(task.jobId), keys.jobLock(queue, task.jobId), keys.finding(task.findingId)];
      if (task.budgetNanoUsd !== null) own.push(keys.spend(`task:${task.jobId}`));
      const answer = await scripts['begin-turn'](toBookingGroup(task, at).begin, {
        keys: own,
        // Text only: no float meets a counter.
        fields: [
          task.jobId,
          task.token,
          String(task.attempt),
          task.digest,
          String(request.turn),
          String(request.worstNanoUsd),
          String(at.getTime()),
          request.first ? '1' : '0',
          task.budgetNanoUsd === null ? '' : String(task.budgetNanoUsd),
          request.toolResults === undefined ? '' : `t:${request.toolResults.epoch}:${request.toolResults.turn}`,
        ],
        text: request.toolResults?.json ?? '',
      });
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
      const at = now();
      const { jobId } = task;
      const usage = booking?.usage ?? NO_USAGE;
      const own = [
        keys.turns(jobId),
        keys.jobLock(queue, jobId),
        keys.jobLogs(queue, jobId),
        keys.finding(task.findingId),
      ];
      if (task.budgetNanoUsd !== null) own.push(keys.spend(`task:${jobId}`));
      const answer = await scripts['finish-task'](toBookingGroup(task, at).finish, {
        keys: own,
        fields: {
          job: jobId,
          token: task.token,
          reservation: booking?.reservation ?? '',
          nano: String(booking?.nanoUsd ?? 0),
          usage: [usage.input, usage.cache_write, usage.cache_read, usage.output],
          log: note.log,
          progress: JSON.stringify(note.progress),
          id: task.findingId,
          at: String(at.getTime()),
          tokens: Math.ceil(text.length / 4),
          topics: finding.topics.join(','),
        },
        text,
      });
      return answer as RecordAnswer;
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
