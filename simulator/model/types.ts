import type Anthropic from '@anthropic-ai/sdk';

/** A validated body of the Messages API: the form in which both providers ask the simulated model about a task. */
export type MessagesRequest = Anthropic.MessageCreateParamsNonStreaming;

export type ReplyBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; name: string; input: Record<string, unknown> };

export interface ModelReply {
  content: ReplyBlock[];
  /** The model declines; `content` is then empty. */
  refusal?: string;
  /** Milliseconds this one reply takes, instead of the simulator's latency. */
  latencyMs?: number;
}

/** Stands in for the model: a pure function of the conversation, so that the same request gets the same reply. */
export interface SimulatedModel {
  reply(request: MessagesRequest): ModelReply;
}
