import { randomUUID } from 'node:crypto';
import { tasksQueue } from '../../queues/tasks.ts';
import type { QueueName } from '../../queues/registry.ts';
import { toBeginAnswer } from './refusals.ts';
import { countToolErrors, isPartial } from '../findings/marks.ts';
import { createBookingGroups } from './booking-groups.ts';
import type { Booking, TaskIdentity, TurnLedger } from './types.ts';
import { NO_USAGE } from '../pricing/tokens.ts';
import type { Db } from '../redis/db.ts';
import type { KeysOf } from '../redis/scripts.ts';
import { stringifyExact } from '../text/exact-json.ts';
import { toWellFormedJson } from '../text/well-formed.ts';

/** Creates the ledger of one queue's jobs. Each method is one Redis script. */
export function createTurnLedger(options: {
  db: Db;
  workerId: string;
  now: () => Date;
  /** The queue of the jobs. Default: `tasks`. */
  queue?: QueueName;
  /** Also adds every booking to fields with this prefix in the session's totals, which are reported separately. */
  apart?: 'coordinator';
}): TurnLedger {
  const { workerId, now, queue = tasksQueue.name, apart } = options;
  const { keys, scripts } = options.db;
  const toBookingGroup = createBookingGroups({ keys, workerId, apart });

  function bookingKeys(task: TaskIdentity): KeysOf<'settle-turn'> {
    const { day } = toBookingGroup(task, now());
    return {
      turns: keys.turns(task.jobId),
      lock: keys.jobLock(queue, task.jobId),
      reservations: keys.reservations,
      counters: keys.counters,
      spend: day.spend,
      ledger: day.ledger,
      totals: keys.sessionTotals(task.session),
      cost: keys.cost(task.costVendor),
      outage: keys.outage(task.model),
      outageRow: keys.outageRow(task.model),
      cooldown: keys.cooldown(task.model),
      logs: keys.jobLogs(queue, task.jobId),
      ledgerDays: keys.ledgerDays,
    };
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
      ...(booking?.isBroken === true ? { broken: '1' } : {}),
      ...(apart === undefined ? {} : { apart }),
      usage: [usage.input, usage.cache_write, usage.cache_read, usage.output].map(String),
    };
  }

  /** Returns the key of what the task has spent, if it has a budget of its own. */
  function toOwnSpend({ jobId, budgetNanoUsd }: TaskIdentity): string | undefined {
    return budgetNanoUsd === null ? undefined : keys.spend(`task:${jobId}`);
  }

  return {
    async begin(task, request) {
      const beganAt = now();
      const answer = await scripts['begin-turn'](toBookingGroup(task, beganAt).begin, {
        keys: {
          turns: keys.turns(task.jobId),
          lock: keys.jobLock(queue, task.jobId),
          finding: keys.finding(task.findingId),
          spend: toOwnSpend(task),
        },
        // All values are text, so that no float reaches a counter.
        fields: [
          task.jobId,
          task.token,
          String(task.attempt),
          task.digest,
          String(request.turn),
          String(request.worstNanoUsd),
          String(beganAt.getTime()),
          toNonce(),
          request.first ? '1' : '0',
          task.budgetNanoUsd === null ? '' : String(task.budgetNanoUsd),
          request.noCall === true ? '1' : '0',
          request.toolResults === undefined ? '' : `t:${request.toolResults.epoch}:${request.toolResults.turn}`,
        ],
        text: request.toolResults?.json ?? '',
      });
      return toBeginAnswer(answer, keys);
    },

    async settle(task, { epoch, turn }, booking, reply, totals, note) {
      const fields = {
        ...bookingFields(task, booking),
        field: `r:${epoch}:${turn}`,
        totals: JSON.stringify(totals),
        log: note.log,
        progress: JSON.stringify(note.progress),
      };
      return scripts['settle-turn'](bookingKeys(task), [
        toWellFormedJson(fields),
        reply === null ? '' : JSON.stringify(reply),
      ]);
    },

    async finish(task, finding, booking, note) {
      const text = stringifyExact(finding);
      const finishedAt = now();
      const { jobId } = task;
      const usage = booking?.usage ?? NO_USAGE;
      return scripts['finish-task'](toBookingGroup(task, finishedAt).finish, {
        keys: {
          turns: keys.turns(jobId),
          lock: keys.jobLock(queue, jobId),
          logs: keys.jobLogs(queue, jobId),
          finding: keys.finding(task.findingId),
          spend: toOwnSpend(task),
        },
        fields: {
          job: jobId,
          token: task.token,
          reservation: booking?.reservation ?? '',
          nano: String(booking?.nanoUsd ?? 0),
          usage: [usage.input, usage.cache_write, usage.cache_read, usage.output],
          log: note.log,
          progress: JSON.stringify(note.progress),
          id: task.findingId,
          at: String(finishedAt.getTime()),
          tokens: Math.ceil(text.length / 4),
          topics: finding.topics.join(','),
          partial: isPartial(finding) ? 1 : 0,
          tool_errors: countToolErrors(finding) > 0 ? 1 : 0,
        },
        text,
      });
    },

    async keepReply(task, { epoch, turn }, reply) {
      await scripts['keep-reply']({ turns: keys.turns(task.jobId) }, [`r:${epoch}:${turn}`, JSON.stringify(reply)]);
    },

    async keepToolResults(task, results) {
      await scripts['keep-tools']({ turns: keys.turns(task.jobId), lock: keys.jobLock(queue, task.jobId) }, [
        task.token,
        workerId,
        `t:${results.epoch}:${results.turn}`,
        results.json,
      ]);
    },

    async closeReservation(task, reservation, mode) {
      await scripts['close-reservation'](
        { turns: keys.turns(task.jobId), reservations: keys.reservations, counters: keys.counters },
        [reservation, mode],
      );
    },

    async noteTimeout(task, { epoch, turn }, { limit, silentSince }) {
      const answer = await scripts['note-timeout'](
        { turns: keys.turns(task.jobId), outage: keys.outage(task.model), outageRow: keys.outageRow(task.model) },
        [`${epoch}:${turn}`, limit, toNonce(), silentSince],
      );
      return answer === 'repeated';
    },

    bookingParts: (task, booking) => ({ keys: bookingKeys(task), fields: bookingFields(task, booking) }),
  };
}

/** Distinguishes two reservations of one turn in the same millisecond. A command that is sent again has the same nonce. */
function toNonce(): string {
  return randomUUID().slice(0, 8); // from a pool: `randomBytes` asks the kernel each time
}
