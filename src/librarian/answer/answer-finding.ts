import type { ArchiveQuery } from '../../../queues/archive.ts';
import { createFinding } from '../../findings/create-finding.ts';
import type { Finding } from '../../findings/finding.ts';
import { summarise } from '../../findings/stored.ts';
import type { Booking, JobTotals, TaskIdentity } from '../../ledger/types.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import { toUsdString } from '../../pricing/money.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';
import type { TokenEstimate } from '../archive/token-estimate.ts';
import { ARCHIVE_PROMPT_VERSION, describeFilter } from './prompt.ts';
import { parseForeignId } from '../../other-swarms/foreign-id.ts';
import type { ShownSwarms } from '../archive/context.ts';
import type { ShownDocument } from '../archive/document.ts';
import type { ArchiveAnswer } from './reply.ts';
import type { ServedCall } from './types.ts';
import { formatCount } from '../../text/plural.ts';

/** What an answer was drawn from; the stored answer holds it. */
export interface AnswerBasis {
  /** Findings that were shown. */
  findings: number;
  /** Tokens of the prompt by the provider's count; 0 where no model was asked. */
  tokens: number;
  /** Findings that fit the filter and not the prompt, and their estimated tokens; null: none. */
  leftOut: { findings: number; tokens: number } | null;
  /** Number of the shard; null: another model answered, or the archive is empty and no model was asked. */
  shard: number | null;
  /** Whether those that come first in the route could not be asked. */
  fallback: boolean;
  /** What was shown of the memory context that was asked. Absent: the question was about none. */
  document?: ShownDocument;
  /** Of a question to other swarms: which could not be read, and whose work is simulated. Absent: no other swarm was asked. */
  swarms?: ShownSwarms;
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
export function toBasis({ paid, shard, isFallback, prompt }: ServedCall, estimate: TokenEstimate): AnswerBasis {
  const { ids, leftOut, swarms } = prompt.shown;
  return {
    findings: ids.size,
    tokens: toPromptTokens(paid.reply.usage),
    leftOut: leftOut && { findings: leftOut.count, tokens: estimate.toTokens(leftOut.bytes) },
    shard,
    fallback: isFallback,
    ...(prompt.document === null ? {} : { document: prompt.document }),
    ...(swarms === undefined ? {} : { swarms }),
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
  entry: Pick<CatalogEntry, 'vendor' | 'isLocal'>;
  workerId: string;
  answeredAt: Date;
}): AnswerFinding {
  const { identity, query, answer, basis, booking, totals, entry, workerId, answeredAt } = parts;
  const simulated = answer.citations.filter((id) => basis.swarms?.simulated.includes(parseForeignId(id)?.swarm ?? ''));
  return {
    ...createFinding({
      identity,
      workerId,
      storedAt: answeredAt.toISOString(),
      task: query.question,
      result: [answer.text, ...toRemarks(basis, identity.model, query), ...toSwarmRemarks(basis, simulated)].join(
        '\n\n',
      ),
      summary: summarise(answer.text),
      kind: 'archive',
      model: { ...entry, id: identity.model },
      promptVersion: ARCHIVE_PROMPT_VERSION,
      totals,
      citations: answer.citations,
      simulatedCitations: simulated,
      vendors: query.vendors ?? null,
    }),
    question: query.question,
    requester: query.requester ?? null,
    filter: query.filter ?? {},
    context: basis,
    list_cost: Number(toUsdString(booking?.listNanoUsd ?? 0, 6)),
  };
}

/** What a reader must know of the other swarms: which could not be read, and what of the answer rests on simulated work. */
function toSwarmRemarks({ swarms }: AnswerBasis, simulated: readonly string[]): string[] {
  return [
    ...(swarms?.notRead ?? []).map(({ why }) => `(Left out: ${why}.)`),
    ...(simulated.length === 0 ? [] : [`(SIMULATED, not real: ${simulated.map((id) => `[${id}]`).join(' ')}.)`]),
  ];
}

/** What a reader must know about the answer. It is part of the text, because older programs read nothing else. */
function toRemarks({ leftOut, fallback, document }: AnswerBasis, model: string, { filter }: ArchiveQuery): string[] {
  const remarks: string[] = [];
  if (fallback) remarks.push(`(Answered by ${model}: no shard could be used.)`);
  if (document !== undefined && document.leftOut > 0) {
    const [shown, all] = [document.lines - document.leftOut, document.lines].map(formatCount);
    remarks.push(
      `(Of context ${document.name}, ${shown} of ${all} lines fitted: those that share most with the question.)`,
    );
  }
  if (leftOut !== null) {
    const { findings, tokens } = leftOut;
    const narrower = describeFilter(filter) === '' ? 'a filter' : 'a narrower filter';
    remarks.push(
      `(Not everything fitted: ${formatCount(findings)} findings, about ${formatCount(tokens)} tokens, were left out, those that share least with the question and the oldest first; ${narrower} shows them.)`,
    );
  }
  return remarks;
}
