import type { Message, ReplyBlock, TextBlock, ToolDefinition } from './format.ts';
import type { ModelAbilities } from '../config/model-rows/types.ts';
import type { Effort } from '../../queues/effort.ts';
import type { Usage } from '../../queues/usage.ts';
import type { BilledUsage } from '../errors.ts';

/** One request to a model with tools. */
export interface ModelRequest {
  model: string;
  system: TextBlock[];
  messages: Message[];
  tools: ToolDefinition[];
  /** `none`: the model may call no tool, though the request lists them. Default: it decides. */
  toolChoice?: 'none';
  /** Most tokens of the reply, thinking included. */
  maxTokens: number;
  /** How much the model thinks; a model that knows no effort is not told. Default: the provider's own default for the model. */
  effort?: Effort;
  /**
   * `conversation`: the provider caches the system blocks and the conversation up to its last block. `none`: a prompt that
   * is sent once; only the breakpoints that the blocks carry are written. Default `conversation`.
   */
  cache?: 'conversation' | 'none';
  /** JSON Schema that the provider enforces on the reply; used for plans. */
  outputSchema?: Record<string, unknown>;
  /** Id that the provider may log for this call: the job's. */
  user?: string;
  /** What the model's row says that it can do; `createModel` sets it. Absent: everything. */
  abilities?: ModelAbilities;
}

/** A reply with a checked shape. */
export interface ModelReply {
  id: string;
  model: string;
  content: ReplyBlock[];
  stopReason: string;
  usage: Usage;
  /** The provider reported no usage: `usage` is the most that it can be. */
  isUsageBound?: true;
  /** Where the provider served the call, if it says so: `us` costs a tenth more. */
  geo?: string;
}

/** One limit of a key and model, as the headers of an answer state it. */
interface LimitState {
  /** Per minute. */
  limit: number;
  remaining: number;
  /** When the limit is whole again, ms since 1970. */
  resetAt: number;
}

/** The limits that the headers of an answer state; one that they do not state is absent. */
export interface ModelLimits {
  requests?: LimitState;
  inputTokens?: LimitState;
  outputTokens?: LimitState;
  /** The answer refused the call by one of them. */
  isRefusal?: true;
}

export interface CallOptions {
  signal: AbortSignal;
  /** Called at most once, with the limits of the answer, also if the answer is an error. */
  onLimits?: (limits: ModelLimits) => void;
  /** Called once the stream has begun, with what it reports of the prompt. A provider that reports it at the end does not call it. */
  onInput?: OnInput;
  /** Number of the shard whose key makes the call, for a model that is on the shards. Default: the first one. */
  shard?: number;
}

/** Takes what a stream has reported of its call's usage so far. */
export type OnInput = (reported: BilledUsage) => void;

/**
 * One provider behind one call. An implementation maps every failure to a class of `src/errors.ts`; no other code reads an
 * HTTP status. It retries nothing: one `call` is at most one paid request.
 */
export interface Model {
  /**
   * Hash of the key, or of the address of a server without keys, whose limits calls of this model share; undefined: none is
   * known. Absent: nothing is limited, as of a model in this process.
   */
  limitKeyOf?(model: string): string | undefined;
  /**
   * A reply that arrived is returned, also if `signal` fired meanwhile: it is paid for.
   * @throws RateLimitedError, ProviderUnavailableError, CallTimeoutError, AccountRefusedError, BoundThinkingError,
   *   TaskFailedError (`malformed`, `model`, `too-long`, `request`), each with `billed` set; the signal's own reason when it
   *   ended the call, whose cost is then what the stream reported, or unknown
   */
  call(request: ModelRequest, options: CallOptions): Promise<ModelReply>;
  /**
   * Counts the tokens of a request as input, for free. The provider limits such requests apart from calls.
   * @returns null where the provider cannot count
   * @throws what `call` throws, `billed` apart
   */
  countTokens(request: ModelRequest, options: CallOptions): Promise<number | null>;
}
