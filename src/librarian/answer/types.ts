import type { PaidReply, Payer } from '../../ledger/paid-calls.ts';
import type { ArchiveModel, ArchiveReply, ArchiveRequest } from '../../models/archive-model.ts';
import type { ShownContext } from '../archive/context.ts';

/** A query is one turn, however many calls it takes until a shard serves it. */
export const QUERY_TURN = 0;

/** A model that can be asked, and who pays for it. */
export interface AskableModel {
  model: ArchiveModel;
  payer: Payer;
}

/** A prompt with the findings that it shows. */
export interface ArchivePrompt {
  /** Without what depends on the model that is asked. */
  request: Omit<ArchiveRequest, 'model' | 'maxTokens'>;
  /** UTF-8 bytes of system text and prompt. */
  bytes: number;
  shown: ShownContext;
}

/** A call that a model served. Its reply is paid for and not stored yet. */
export interface ServedCall {
  paid: PaidReply<ArchiveReply>;
  payer: Payer;
  /** Number of the shard; null: the fallback served it. */
  shard: number | null;
  prompt: ArchivePrompt;
}
