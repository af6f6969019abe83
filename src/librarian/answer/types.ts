import type { PaidReply, Payer } from '../../ledger/calls/reserved-call.ts';
import type { ArchiveModel, ArchiveReply, ArchiveRequest } from '../../models/archive-model.ts';
import type { ShownContext } from '../archive/context.ts';
import type { ShownDocument } from '../archive/document.ts';

/** A query is one turn, however many calls it takes until a shard serves it. */
export const QUERY_TURN = 0;

/** A model that can be asked, and who pays for it. */
export interface AskableModel {
  model: ArchiveModel;
  payer: Payer;
}

/** Longest answer, tokens, without thinking. */
export const ANSWER_TOKENS = 8_192;

/** One that answers questions: all shards together, or one model besides them. */
export type ChainMember = 'shards' | ChainModel;

export interface ChainModel extends AskableModel {
  /** Tokens of the largest prompt that it is asked. */
  maxTokens: number;
}

/** A prompt with the findings that it shows. */
export interface ArchivePrompt {
  /** Without what depends on the model that is asked. */
  request: Omit<ArchiveRequest, 'model' | 'maxTokens'>;
  /** UTF-8 bytes of system text and prompt. */
  bytes: number;
  shown: ShownContext;
  /** What it shows of a memory context; null: the question is about none. */
  document: ShownDocument | null;
}

/** A call that a model served. Its reply is paid for and not stored yet. */
export interface ServedCall {
  paid: PaidReply<ArchiveReply>;
  payer: Payer;
  /** Number of the shard; null: another model served it. */
  shard: number | null;
  /** Whether those that come first could not. */
  isFallback: boolean;
  prompt: ArchivePrompt;
}
