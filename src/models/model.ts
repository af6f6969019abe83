import type Anthropic from '@anthropic-ai/sdk';
import type { Usage } from '../../queues/usage.ts';

/** One request to a model with tools. */
export interface ModelRequest {
  model: string;
  system: Anthropic.TextBlockParam[];
  messages: Anthropic.MessageParam[];
  tools: Anthropic.Tool[];
  maxTokens: number;
  /** JSON Schema that the provider enforces on the reply; used for plans. */
  outputSchema?: Record<string, unknown>;
  /** Id that the provider may log for this call: the job's. */
  user?: string;
}

/** A reply with a checked shape. */
export interface ModelReply {
  id: string;
  model: string;
  content: Anthropic.ContentBlock[];
  stopReason: string;
  usage: Usage;
}

/**
 * One provider behind one call. An implementation maps every failure to a class of `src/errors.ts`; no other code reads an
 * HTTP status. It retries nothing: one `call` is at most one paid request.
 */
export interface Model {
  /**
   * A reply that arrived is returned, also if `signal` fired meanwhile: it is paid for.
   * @throws RateLimitedError, ProviderUnavailableError, AccountRefusedError, TaskFailedError (`malformed`, `model`), each
   *   with `billed` set; the signal's own reason when it ended the call, whose cost is then unknown
   */
  call(request: ModelRequest, options: { signal: AbortSignal }): Promise<ModelReply>;
}
