import type { ArchiveQuery } from '../../../queues/archive.ts';
import { keepRecord } from '../../swarm/damage/kept-records.ts';
import type { Booking, JobTotals, RecordAnswer, TaskIdentity, TurnLedger } from '../../ledger/types.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { Db } from '../../redis/db.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import { toAnswerFinding, type AnswerBasis, type AnswerFinding } from './answer-finding.ts';
import type { ArchiveAnswer } from './reply.ts';

export interface RecordParts {
  db: Db;
  ledger: TurnLedger;
  workerId: string;
  now(): Date;
}

/** An answer with all that its record needs. */
export interface CheckedAnswer {
  query: ArchiveQuery;
  identity: TaskIdentity;
  answer: ArchiveAnswer;
  basis: AnswerBasis;
  /** Of the model that answered; of the shards' model where no model was asked. */
  entry: CatalogEntry;
  /** Null: no call was made in this run. */
  booking: Booking | null;
  totals: JobTotals;
}

/** Books the call and stores the answer, once, with its public response if another program asked: one step. */
export async function recordAnswer(parts: RecordParts, checked: CheckedAnswer): Promise<RecordAnswer> {
  const { ledger, workerId, now } = parts;
  const { keys, scripts } = parts.db;
  const { query, identity, basis, entry, booking } = checked;
  const finding = toAnswerFinding({ ...checked, entry, workerId, answeredAt: now() });
  const answeredBy = basis.tokens > 0 ? entry.id : 'nobody: the archive is empty';
  const by = basis.shard === null ? answeredBy : `shard ${basis.shard}`;
  const log = `${finding.at} answered from ${basis.findings} findings, ${basis.tokens} tokens, by ${by} (${formatUsd(booking?.nanoUsd ?? 0, 6)}, ${workerId})`;
  const publicId = query.public === true ? (query.query_id ?? null) : null;
  const text = JSON.stringify(finding);
  const key = keys.finding(identity.findingId);
  const record = (token: string): Promise<RecordAnswer> => {
    const booked = ledger.bookingParts({ ...identity, token }, booking);
    return scripts['finish-answer'](
      {
        ...booked.keys,
        finding: key,
        answers: keys.indexAnswers,
        response: keys.response(publicId ?? ''),
        activity: keys.activity,
      },
      [
        toWellFormedJson({
          ...booked.fields,
          log,
          job: identity.jobId,
          id: identity.findingId,
          batch: identity.batch ?? '',
          mission: identity.missionId ?? '',
          at: String(Date.parse(finding.at)),
          query: publicId ?? '',
          responses_channel: keys.channelResponses,
        }),
        text,
        publicId === null ? '' : JSON.stringify(toResponse(publicId, finding)),
      ],
    );
  };
  return keepRecord(parts.db, { key, text, token: identity.token }, record);
}

/** The value of `response:archive:<id>`. */
function toResponse(queryId: string, finding: AnswerFinding): object {
  return {
    query_id: queryId,
    finding_id: finding.finding_id,
    answer: finding.result,
    sources: finding.citations,
    tokens_used: finding.tokens_used,
    context_size: finding.context.findings,
    timestamp: finding.timestamp,
    worker_id: finding.worker_id,
  };
}
