import { spoilReply } from '../../model/spoil-reply.ts';
import type { ModelReply } from '../../model/types.ts';
import type { FinishedChat } from '../reply/finish-reply.ts';
import type { ChatRequest } from '../validate/fields.ts';
import type { ActiveChatFault } from './fault.ts';

/** The model's reply as a reply fault changes it, before ids, cuts and the bill. */
export function spoilChatReply(fault: ActiveChatFault | null, reply: ModelReply, request: ChatRequest): ModelReply {
  return spoilReply(fault, reply, () => toBadCall(request));
}

type Spoil = (reply: FinishedChat, fault: ActiveChatFault) => FinishedChat;

const mapCalls =
  (change: (call: FinishedChat['calls'][number]) => object): Spoil =>
  (reply) => ({ ...reply, calls: reply.calls.map((call) => ({ ...call, ...change(call) })) });

const SPOILS: Partial<Record<ActiveChatFault['kind'], Spoil>> = {
  'cut-off': (reply) => ({ ...reply, content: toHalf(reply.content ?? 'Cut off'), calls: [], finishReason: 'length' }),
  'content-filter': (reply) => ({
    ...reply,
    content: toHalf(reply.content ?? ''),
    calls: [],
    finishReason: 'content_filter',
  }),
  'bad-tool-json': mapCalls((call) => ({ arguments: `${call.arguments}}` })),
  'repeated-call-ids': mapCalls(() => ({ id: 'call_0' })),
  'no-call-ids': mapCalls(() => ({ id: '' })),
  'stop-with-calls': (reply) => ({ ...reply, finishReason: 'stop' }),
  'finish-reason': (reply, { finishReason }) => ({ ...reply, finishReason }),
};

/** The finished reply as a reply fault changes it. */
export function spoilFinishedChat(fault: ActiveChatFault | null, reply: FinishedChat): FinishedChat {
  const spoil = fault === null ? undefined : SPOILS[fault.kind];
  return fault === null || spoil === undefined ? reply : spoil(reply, fault);
}

function toHalf(text: string): string {
  return text.slice(0, Math.max(1, Math.floor(text.length / 2)));
}

function toBadCall({ tools }: ChatRequest): ModelReply['content'][number] {
  const own = tools?.[0]?.function;
  if (own === undefined) return { type: 'text', text: 'No tool was offered. (simulated model)' };
  const names = Object.keys((own.parameters?.['properties'] as object | undefined) ?? {});
  return { type: 'tool_use', name: own.name, input: Object.fromEntries(names.map((name) => [name, { not: 'asked' }])) };
}
