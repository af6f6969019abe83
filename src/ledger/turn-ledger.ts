import { randomInt } from 'node:crypto';
import { tasksQueue } from '../../queues/tasks.ts';
import type { QueueName } from '../../queues/registry.ts';
import { toBeginAnswer } from './refusals.ts';
import { countToolErrors, isPartial } from '../findings/marks.ts';
import { createBookingGroups, toApartFields, toRowPart, type Apart } from './booking-groups.ts';
import { toOldEnd } from '../redis/old-end.ts';
import { keepRecord } from '../swarm/damage/kept-records.ts';
import type { Booking, FailedCall, RecordAnswer, TaskIdentity, TurnLedger } from './types.ts';
import { NO_USAGE } from '../pricing/tokens.ts';
import type { Db } from '../redis/db.ts';
import type { KeysOf } from '../redis/scripts.ts';
import type { PackedNotes } from '../run-record/types.ts';
import { stringifyExact } from '../text/exact-json.ts';
import { toWellFormedJson } from '../text/well-formed.ts';

/** Creates the ledger of one queue's jobs. Each method is one Redis script, which decides the day by Redis' clock. */
export function createTurnLedger(options: {
  db: Db;
  workerId: string;
  /** The queue of the jobs. Default: `tasks`. */
  queue?: QueueName;
  /** Whose calls these are, if no task's: they are also counted under this name, and reported separately. */
  apart?: Apart;
}): TurnLedger {
  const { workerId, queue = tasksQueue.name, apart } = options;
  const { keys, scripts, clock } = options.db;
  const toBookingGroup = createBookingGroups({ keys, workerId, queue, apart });

  function bookingKeys(task: TaskIdentity): KeysOf<'settle-turn'> {
    return {
      turns: keys.turns(task.jobId),
      lock: keys.jobLock(queue, task.jobId),
      reservations: keys.reservations,
      counters: keys.counters,
      ledgers: keys.ledgers,
      totals: keys.sessionTotals(task.session),
      cost: keys.cost(task.costVendor),
      outage: keys.outage(task.model),
      outageRow: keys.outageRow(task.model),
      cooldown: keys.cooldown(task.model),
      logs: keys.jobLogs(queue, task.jobId),
      ledgerDays: keys.ledgerDays,
      run: keys.run(task.jobId),
      metrics: keys.metrics,
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
      row: toBookingGroup(task).row,
      vendor: task.costVendor,
      ...toMsField(booking),
      ...(booking?.listNanoUsd === undefined ? {} : { list_nano: String(booking.listNanoUsd) }),
      ...(booking?.isBroken === true ? { broken: '1' } : {}),
      ...(booking?.mostNanoUsd === undefined ? {} : { most: String(booking.mostNanoUsd) }),
      ...(apart === undefined ? {} : toApartFields(apart, toBookingGroup(task).row)),
      usage: [usage.input, usage.cache_write, usage.cache_read, usage.output].map(String),
      ...toRecordField(task),
    };
  }

  /** Returns the key of what the task has spent, if it has a budget of its own. */
  function toOwnSpend({ jobId, budgetNanoUsd, assist }: TaskIdentity): string | undefined {
    return budgetNanoUsd === null ? undefined : keys.spend(`task:${assist?.asker ?? jobId}`);
  }

  /** The same, for the step that ends the task. An assist task leaves it: its asker goes on. */
  function toSpendThatEnds(task: TaskIdentity): string | undefined {
    return task.assist === undefined ? toOwnSpend(task) : undefined;
  }

  /** Keys that a call of `begin-turn` has only where the task has an asker, or a budget. The script ignores its own turns as asker. */
  function toBudgetKeys(task: TaskIdentity): { asker?: string; spend?: string } {
    const { jobId, assist } = task;
    const spend = toOwnSpend(task);
    if (assist === undefined && spend === undefined) return {};
    return { asker: keys.turns(assist?.asker ?? jobId), ...(spend === undefined ? {} : { spend }) };
  }

  return {
    async begin(task, request) {
      const record = task.record?.isUrgent === true && request.noCall !== true ? task.record.take() : null;
      const answer = await scripts['begin-turn'](toBookingGroup(task).begin, {
        keys: {
          turns: keys.turns(task.jobId),
          lock: keys.jobLock(queue, task.jobId),
          finding: keys.finding(task.findingId),
          ...toBudgetKeys(task),
        },
        // All values are text, so that no float reaches a counter.
        fields: toWellFormedJson([
          task.jobId,
          task.token,
          String(task.attempt),
          task.digest,
          String(request.turn),
          String(request.worstNanoUsd),
          String(clock.now()),
          toNonce(),
          request.first ? '1' : '0',
          task.budgetNanoUsd === null || task.assist !== undefined ? '' : String(task.budgetNanoUsd), // the asker's is set
          request.noCall === true ? '1' : '0',
          request.toolResults === undefined ? '' : `t:${request.toolResults.epoch}:${request.toolResults.turn}`,
          task.assist?.call ?? '',
          request.first && task.addedAt !== undefined ? String(task.addedAt) : '',
          ...(record === null ? [] : [record]),
        ]),
        text: request.toolResults?.json ?? '',
      });
      if (answer[0] !== 'reserved') task.record?.giveBack(record ?? []); // then nothing is written
      return toBeginAnswer(answer, keys);
    },

    async settle(task, { epoch, turn }, booking, reply, totals, note) {
      const fields = {
        ...bookingFields(task, booking),
        field: `r:${epoch}:${turn}`,
        totals: JSON.stringify({ ...totals, row: toBookingGroup(task).row }), // a failure books its rework there
        log: note.log,
        progress: JSON.stringify(note.progress),
      };
      return scripts['settle-turn'](bookingKeys(task), [
        toWellFormedJson(fields),
        reply === null ? '' : JSON.stringify(reply),
      ]);
    },

    async finish(task, finding, booking, note, unmetered) {
      const text = stringifyExact(finding);
      const { jobId, oldId } = task;
      const old = oldId === undefined ? undefined : await toOldEnd(options.db, oldId);
      const usage = booking?.usage ?? NO_USAGE;
      const fields = {
        job: jobId,
        reservation: booking?.reservation ?? '',
        nano: String(booking?.nanoUsd ?? 0),
        usage: [usage.input, usage.cache_write, usage.cache_read, usage.output],
        ...toMsField(booking),
        log: note.log,
        progress: JSON.stringify(note.progress),
        id: task.findingId,
        at: String(clock.now()),
        tokens: Math.ceil(text.length / 4),
        topics: finding.topics.join(','),
        partial: isPartial(finding) ? 1 : 0,
        tool_errors: countToolErrors(finding) > 0 ? 1 : 0,
        ...(unmetered === undefined ? {} : { unmetered }),
        ...(old === undefined ? {} : { old: old.fields }),
        ...toRecordField(task),
      };
      const finished = {
        keys: {
          turns: keys.turns(jobId),
          lock: keys.jobLock(queue, jobId),
          logs: keys.jobLogs(queue, jobId),
          finding: keys.finding(task.findingId),
          run: keys.run(jobId),
          ...(old === undefined
            ? { spend: toSpendThatEnds(task) }
            : { spend: keys.spend(`task:${jobId}`), ...old.keys }),
        },
        fields: toWellFormedJson({ ...fields, token: task.token }),
        text,
      };
      return await finishAndKeep(options.db, task.token, [toBookingGroup(task).finish, finished]);
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

    async closeReservation(task, reservation, mode, call) {
      const { reservations, counters, metrics } = keys;
      await scripts['close-reservation']({ turns: keys.turns(task.jobId), reservations, counters, metrics }, [
        reservation,
        mode,
        ...(call === undefined ? [] : [JSON.stringify(toFailedCall(call))]),
      ]);
    },

    async noteInput(reservation, mostNanoUsd) {
      await scripts['note-input']({ reservations: keys.reservations }, [reservation, String(mostNanoUsd)]);
    },

    async noteTimeout(task, { epoch, turn }, { limit, silentMs }) {
      const answer = await scripts['note-timeout'](
        { turns: keys.turns(task.jobId), outage: keys.outage(task.model), outageRow: keys.outageRow(task.model) },
        [`${epoch}:${turn}`, limit, toNonce(), silentMs],
      );
      return answer === 'repeated';
    },

    bookingParts: (task, booking) => ({ keys: bookingKeys(task), fields: bookingFields(task, booking) }),
  };
}

type FinishCall = Parameters<Db['scripts']['finish-task']>;

/** Ends a task. Its finding is stored again if Redis forgets it, without a lock: its job has ended by then. */
function finishAndKeep(db: Db, token: string, [shared, job]: FinishCall): Promise<RecordAnswer> {
  return keepRecord(db, { key: job.keys.finding, text: job.text, token }, (held) =>
    db.scripts['finish-task'](shared, held === token ? job : { ...job, fields: withoutToken(job.fields) }),
  );
}

function withoutToken(fields: string): string {
  return toWellFormedJson({ ...(JSON.parse(fields) as object), token: '' });
}

/** How long the call took, for the tallies. */
function toMsField(booking: Booking | null): { ms?: number } {
  return booking?.ms === undefined ? {} : { ms: booking.ms };
}

/** As `lib/tally.lua` counts it: a model is written as in a ledger row. */
function toFailedCall({ costVendor, model, outcome, ms }: FailedCall): object {
  return { labels: `${costVendor}|${toRowPart(model)}`, outcome, ms };
}

/** What the run has noted since its last script. @returns no field where that is nothing */
function toRecordField({ record }: TaskIdentity): { record?: PackedNotes } {
  return record?.isPending === true ? { record: record.take() } : {};
}

let nonce = randomInt(2 ** 32); // another process of the same name begins elsewhere

/** Distinguishes two reservations of one turn in the same millisecond. A command that is sent again has the same nonce. */
function toNonce(): string {
  nonce = (nonce + 1) >>> 0;
  return nonce.toString(16).padStart(8, '0');
}
