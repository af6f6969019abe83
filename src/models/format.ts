/**
 * The fleet's own format of conversations: what is stored, replayed and sent to every model. It is JSON in the shape of
 * Anthropic's blocks, so that what older versions stored is valid. Each adapter translates it into its API and back.
 */

/**
 * What a provider wants back untouched with the block that it came with, such as a thought signature. The other fields are the
 * adapter's own. Only an adapter of the same `api` sends it back, and only to the same `model`: every other drops it.
 */
export interface Opaque {
  /** The adapter that made it. */
  api: 'anthropic' | 'openai' | 'gemini';
  /** The provider's name of the model that was asked. */
  model: string;
  [field: string]: unknown;
}

export interface TextBlock {
  type: 'text';
  text: string;
  /** The prompt up to here is cached, where the provider takes such a mark. */
  cache_control?: { type: 'ephemeral' } | null;
  opaque?: Opaque;
}

/**
 * What a model thought. Without `opaque` its provider binds it to all before it, so the conversation drops it as soon as an
 * earlier message changes, or the model. With `opaque` it stays, and adapters of other models leave the block out.
 */
export interface ThinkingBlock {
  type: 'thinking';
  /** '' where the provider does not show it. */
  thinking: string;
  /** '' where the provider signs nothing. */
  signature: string;
  opaque?: Opaque;
}

interface RedactedThinkingBlock {
  type: 'redacted_thinking';
  data: string;
}

/** A call of a tool, in a reply. */
export interface ToolUseBlock {
  type: 'tool_use';
  /** Unique in its conversation. Its form is the provider's: an adapter maps ids of others where its API has rules for them. */
  id: string;
  name: string;
  /** An object, or a text where the reply held no JSON. */
  input: unknown;
  opaque?: Opaque;
}

/** The outcome of a call, in the message right after it. */
export interface ToolResultBlock {
  type: 'tool_result';
  tool_use_id: string;
  content: string;
  is_error?: boolean;
}

/** What a model's reply holds. */
export type ReplyBlock = TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock;
export type ContentBlock = ReplyBlock | ToolResultBlock;

export interface Message {
  role: 'user' | 'assistant';
  content: string | ContentBlock[];
}

export interface ToolDefinition {
  name: string;
  description: string;
  /** JSON Schema of the input: an object. */
  input_schema: { type: 'object'; properties?: unknown; required?: string[] | null; [field: string]: unknown };
}

/** What an adapter may send back of a block's opaque fields; null: nothing, or another model's. */
export function readOpaque(
  { opaque }: { opaque?: Opaque },
  { api, model }: Pick<Opaque, 'api' | 'model'>,
): Opaque | null {
  return opaque?.api === api && opaque.model === model ? opaque : null;
}
