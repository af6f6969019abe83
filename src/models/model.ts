import type Anthropic from '@anthropic-ai/sdk';
import type { Usage } from '../../queues/usage.ts';

export interface ModelRequest {
  model: string;
  system: Anthropic.TextBlockParam[];
  messages: Anthropic.MessageParam[];
  tools: Anthropic.Tool[];
  maxTokens: number;
  /** JSON Schema the provider itself must hold the reply to; used for plans. */
  outputSchema?: Record<string, unknown>;
  /** Opaque id the provider may log for this call: the job's. */
  user?: string;
}

/** A reply whose shape has been checked. */
export interface ModelReply {
  id: string;
  model: string;
  content: Anthropic.ContentBlock[];
  stopReason: string;
  usage: Usage;
}

/**
 * One provider behind one call. Implementations map every failure to a class of `src/errors.ts`; HTTP status is read
 * nowhere else. They retry nothing: one `call` is at most one paid request.
 */
export interface Model {
  /**
   * A reply that arrived is returned even if `signal` fired meanwhile: it is paid for.
   * @throws RateLimitedError, ProviderUnavailableError, AccountRefusedError, TaskFailedError (`malformed`, `model`), each
   *   with `billed` set; the signal's own reason when it ended the call, whose cost is then unknown
   */
  call(request: ModelRequest, options: { signal: AbortSignal }): Promise<ModelReply>;
}
