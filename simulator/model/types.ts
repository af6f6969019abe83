import type Anthropic from '@anthropic-ai/sdk';

/** A valid body of the Messages API. */
export type MessagesRequest = Anthropic.MessageCreateParams;

export type ReplyBlock =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; name: string; input: Record<string, unknown> };

export interface ModelReply {
  content: ReplyBlock[];
  /** The model declines; `content` is then empty. */
  refusal?: string;
  /** Ms that this reply takes, instead of the simulator's latency. */
  latencyMs?: number;
}

/** How much a reply may hold, as far as the model can know it. */
export interface ReplyRoom {
  /** UTF-16 code units, beside what the model thinks. */
  characters: number;
  charactersPerToken: number;
}

/** Replaces the model. A pure function of the conversation: the same request gets the same reply. */
export interface SimulatedModel {
  reply(request: MessagesRequest, room: ReplyRoom): ModelReply;
}
