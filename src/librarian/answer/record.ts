import type { ArchiveQuery } from '../../../queues/archive.ts';
import type { Finding } from '../../findings/finding.ts';
import { summarise } from '../../findings/stored.ts';
import { toLocalTimestamp } from '../../findings/timestamp.ts';
import { toUsdString } from '../../pricing/money.ts';
import type { Booking, JobTotals, RecordAnswer, TaskIdentity, TurnLedger } from '../../ledger/types.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import { describeFilter, ARCHIVE_PROMPT_VERSION } from './prompt.ts';
import type { Db } from '../../redis/db.ts';
import type { ArchiveAnswer } from './reply.ts';

/** What an answer was drawn from, as the answer itself says it. */
export interface AnswerBasis {
  /** Findings shown, and their tokens by the provider's count, or estimated where no model was asked. */
  findings: number;
  tokens: number;
  leftOut: { findings: number; tokens: number } | null;
  /** Null: no shard answered, but the fallback or, where there was nothing to show, nobody. */
  shard: number | null;
  fallback: boolean;
}

/** An answer, as a finding: what tasks write, and what it was drawn from. */
export interface AnswerFinding extends Finding {
  question: string;
  requester: string | null;
  filter: object;
  context: AnswerBasis;
  /** What the free calls would have cost, US dollars. */
  list_cost: number;
}

export function toAnswerFinding(parts: {
  identity: TaskIdentity;
  query: ArchiveQuery;
  answer: ArchiveAnswer;
  basis: AnswerBasis;
  booking: Booking | null;
  totals: JobTotals;
  vendor: string;
  workerId: string;
  at: Date;
}): AnswerFinding {
  const { identity, query, answer, basis, booking, totals, vendor, workerId, at } = parts;
  return {
    finding_id: identity.findingId,
    worker_id: workerId,
    timestamp: toLocalTimestamp(at),
    task: query.question,
    result: [answer.text, ...toRemarks(basis, identity.model, query)].join('\n\n'),
    files_changed: [],
    citations: answer.citations,
    tokens_used: toTotalTokens(totals.usage),
    cost: Number(toUsdString(totals.nanoUsd, 6)),
    at: at.toISOString(),
    summary: summarise(answer.text),
    session: identity.session,
    batch: identity.batch,
    mission_id: identity.missionId,
    job_id: identity.jobId,
    model: identity.model,
    vendor,
    prompt_version: ARCHIVE_PROMPT_VERSION,
    kind: 'archive',
    changes: [],
    topics: [],
    status: 'completed',
    usage: totals.usage,
    recovered: 0,
    question: query.question,
    requester: query.requester ?? null,
    filter: query.filter ?? {},
    context: basis,
    list_cost: Number(toUsdString(booking?.listNanoUsd ?? 0, 6)),
  };
}

/** What the reader of an answer must know about it, in the answer: older programs read nothing else. */
function toRemarks({ leftOut, fallback }: AnswerBasis, model: string, { filter }: ArchiveQuery): string[] {
  const remarks: string[] = [];
  if (fallback) remarks.push(`(Answered by ${model}: no shard could be used.)`);
  if (leftOut !== null) {
    const { findings, tokens } = leftOut;
    const narrower = describeFilter(filter) === '' ? 'a filter' : 'a narrower filter';
    remarks.push(
      `(Not everything fitted: ${findings.toLocaleString('en-US')} findings, about ${tokens.toLocaleString('en-US')} tokens, were left out, those that share least with the question and the oldest first; ${narrower} shows them.)`,
    );
  }
  return remarks;
}

/** Books the call and records the answer, with its public response where it was asked for in public: one step, once. */
export async function recordAnswer(
  parts: { db: Db; ledger: TurnLedger },
  answer: {
    identity: TaskIdentity;
    finding: AnswerFinding;
    booking: Booking | null;
    /** Null where it was not asked through a public key. */
    publicQueryId: string | null;
    log: string;
  },
): Promise<RecordAnswer> {
  const { ledger } = parts;
  const { keys, scripts } = parts.db;
  const { identity, finding, booking, publicQueryId, log } = answer;
  const booked = ledger.bookingParts(identity, booking);
  const answered = await scripts['finish-answer'](
    [...booked.keys, keys.finding(identity.findingId), keys.indexAnswers, keys.response(publicQueryId ?? '')],
    [
      JSON.stringify({
        ...booked.fields,
        log,
        job: identity.jobId,
        id: identity.findingId,
        at: String(Date.parse(finding.at)),
        query: publicQueryId ?? '',
        responses_channel: keys.channelResponses,
      }),
      JSON.stringify(finding),
      publicQueryId === null ? '' : JSON.stringify(toResponse(publicQueryId, finding)),
    ],
  );
  return answered as RecordAnswer;
}

/** What stands under `response:archive:<id>`. */
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
