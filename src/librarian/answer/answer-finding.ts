import type { ArchiveQuery } from '../../../queues/archive.ts';
import { createFinding } from '../../findings/create-finding.ts';
import type { Finding } from '../../findings/finding.ts';
import { summarise } from '../../findings/stored.ts';
import type { Booking, JobTotals, TaskIdentity } from '../../ledger/types.ts';
import { toUsdString } from '../../pricing/money.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';
import type { TokenEstimate } from '../archive/token-estimate.ts';
import { ARCHIVE_PROMPT_VERSION, describeFilter } from './prompt.ts';
import type { ArchiveAnswer } from './reply.ts';
import type { ServedCall } from './types.ts';

/** What an answer was drawn from; the stored answer holds it. */
export interface AnswerBasis {
  /** Findings that were shown. */
  findings: number;
  /** Tokens of the prompt by the provider's count; 0 where no model was asked. */
  tokens: number;
  /** Findings that fit the filter and not the prompt, and their estimated tokens; null: none. */
  leftOut: { findings: number; tokens: number } | null;
  /** Number of the shard; null: the fallback answered, or the archive is empty and no model was asked. */
  shard: number | null;
  fallback: boolean;
}

/** An answer as it is stored: the fields of every finding, and what the answer was drawn from. */
export interface AnswerFinding extends Finding {
  question: string;
  requester: string | null;
  filter: object;
  context: AnswerBasis;
  /** List price of the free calls, US dollars. */
  list_cost: number;
}

/** @param estimate for the findings that were left out */
export function toBasis({ paid, shard, prompt }: ServedCall, estimate: TokenEstimate): AnswerBasis {
  const { ids, leftOut } = prompt.shown;
  return {
    findings: ids.size,
    tokens: toPromptTokens(paid.reply.usage),
    leftOut: leftOut && { findings: leftOut.count, tokens: estimate.toTokens(leftOut.bytes) },
    shard,
    fallback: shard === null,
  };
}

export function toAnswerFinding(parts: {
  identity: TaskIdentity;
  query: ArchiveQuery;
  answer: ArchiveAnswer;
  basis: AnswerBasis;
  /** Null: no call was made in this run. */
  booking: Booking | null;
  totals: JobTotals;
  vendor: string;
  workerId: string;
  answeredAt: Date;
}): AnswerFinding {
  const { identity, query, answer, basis, booking, totals, vendor, workerId, answeredAt } = parts;
  return {
    ...createFinding({
      identity,
      workerId,
      storedAt: answeredAt.toISOString(),
      task: query.question,
      result: [answer.text, ...toRemarks(basis, identity.model, query)].join('\n\n'),
      summary: summarise(answer.text),
      kind: 'archive',
      model: { id: identity.model, vendor },
      promptVersion: ARCHIVE_PROMPT_VERSION,
      totals,
      citations: answer.citations,
    }),
    question: query.question,
    requester: query.requester ?? null,
    filter: query.filter ?? {},
    context: basis,
    list_cost: Number(toUsdString(booking?.listNanoUsd ?? 0, 6)),
  };
}

/** What a reader must know about the answer. It is part of the text, because older programs read nothing else. */
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
