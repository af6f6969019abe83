import type { ShardConfig } from '../config/shards.ts';
import { AccountRefusedError, QuotaError, toMessage } from '../errors.ts';
import type { PaidCalls } from '../ledger/calls/paid-calls.ts';
import type { PaidReply, Payer } from '../ledger/calls/reserved-call.ts';
import type { ArchiveModel, ArchiveReply } from '../models/archive-model.ts';
import { toPromptTokens } from '../pricing/tokens.ts';
import { REPLY_SCHEMA, SYSTEM, toPrompt } from './answer/prompt.ts';
import { toAnswer } from './answer/reply.ts';
import { toReplyRoom } from './answer/reply-room.ts';
import { QUERY_TURN } from './answer/types.ts';
import type { Permit, RateGate } from './gate/types.ts';

/** How one shard answered one real query. */
export interface ShardTest {
  shard: number;
  ok: boolean;
  /** From sending to the whole reply, ms; null: nothing was sent. */
  ms: number | null;
  /** Nano-dollars; 0 on a free shard. */
  costNanoUsd: number;
  /** Null: the shard works. */
  problem: string | null;
}

const FINDING_ID = 'finding_test';
const PROMPT = toPrompt(
  `<finding id="${FINDING_ID}" at="2026-01-01T00:00:00.000Z" session="test">\nThe harbour light is green.\n</finding>\n`,
  'What colour is the harbour light?',
);
const ANSWER_TOKENS = 512;
const REQUEST = { system: SYSTEM, prompt: PROMPT, responseSchema: REPLY_SCHEMA };
/** Estimated tokens of the prompt. */
const TOKENS = Math.ceil((SYSTEM.length + PROMPT.length) / 4);

export interface TestedShard {
  shard: ShardConfig;
  /** Numbers of the other shards. */
  others: number[];
  model: ArchiveModel;
  payer: Payer;
  calls: PaidCalls<ArchiveReply>;
  /** Asks the shard too if failures closed it. */
  reopen: boolean;
}

/** Asks one shard a small question about a made-up finding, within its limits and booked like any query. */
export async function testShard(gate: RateGate, tested: TestedShard, signal: AbortSignal): Promise<ShardTest> {
  const { shard, others, model, payer, calls, reopen } = tested;
  const { number } = shard;
  const toResult = (problem: string | null, ms: number | null): ShardTest => {
    return { shard: number, ok: problem === null, ms, costNanoUsd: calls.totals.nanoUsd, problem };
  };
  const stored = await calls.readStored(QUERY_TURN, payer);
  if (stored.kind === 'reply') return toResult(findProblem(JSON.parse(stored.json) as ArchiveReply), null);
  if (reopen) await gate.reportSuccess(number);
  const permit = await gate.acquire({ tokens: TOKENS, exclude: others }, { signal });
  if (permit.kind === 'too-large') return toResult(`takes at most ${permit.limitTokens} tokens a minute`, null);
  if (permit.kind === 'wait') {
    return toResult(`no room until ${new Date(permit.untilMs).toISOString()} (${permit.reason})`, null);
  }
  const maxTokens = toReplyRoom(payer.entry, ANSWER_TOKENS);
  const bound = { inputTokensBound: Buffer.byteLength(SYSTEM + PROMPT), maxTokens };
  const reservation = await calls.reserve({ turn: QUERY_TURN, payer, bound });
  const startedAt = performance.now();
  let paid: PaidReply<ArchiveReply>;
  try {
    paid = await reservation.send(() => model.ask({ ...REQUEST, model: payer.entry.id, maxTokens }, { signal }));
  } catch (error) {
    await reportFailure(gate, permit, error);
    return toResult(toMessage(error), performance.now() - startedAt);
  }
  const ms = performance.now() - startedAt;
  await calls.store(paid, { log: '', progress: null });
  await Promise.all([permit.settle(toPromptTokens(paid.reply.usage)), gate.reportSuccess(number)]);
  return toResult(findProblem(paid.reply), ms);
}

/** Asks the model that answers where no shard can the same question, booked like any query. */
export async function testFallback(
  { model, payer, calls }: Pick<TestedShard, 'model' | 'payer' | 'calls'>,
  signal: AbortSignal,
): Promise<Omit<ShardTest, 'shard'>> {
  const maxTokens = toReplyRoom(payer.entry, ANSWER_TOKENS);
  const bound = { inputTokensBound: Buffer.byteLength(SYSTEM + PROMPT), maxTokens };
  const startedAt = performance.now();
  let problem: string | null = null;
  try {
    const request = { ...REQUEST, model: payer.entry.id, maxTokens };
    const paid = await calls.make({ turn: QUERY_TURN, payer, bound }, () => model.ask(request, { signal }));
    if (paid.kind === 'reply') {
      await calls.store(paid, { log: '', progress: null });
      problem = findProblem(paid.reply);
    }
  } catch (error) {
    problem = toMessage(error);
  }
  return { ok: problem === null, ms: performance.now() - startedAt, costNanoUsd: calls.totals.nanoUsd, problem };
}

function findProblem(reply: ArchiveReply): string | null {
  try {
    toAnswer(reply, new Set([FINDING_ID]));
    return null;
  } catch (error) {
    return toMessage(error);
  }
}

/** Reports the failure for all processes: queries then leave the shard out too. */
async function reportFailure(gate: RateGate, permit: Permit, error: unknown): Promise<void> {
  await permit.settle(0);
  if (error instanceof QuotaError) return gate.report429(permit.shard, { ...error.quota, day: permit.day });
  const kind = error instanceof AccountRefusedError ? 'refused' : 'unavailable';
  return gate.reportFailure(permit.shard, { kind, message: toMessage(error) });
}
