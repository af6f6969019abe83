import type Anthropic from '@anthropic-ai/sdk';
import { spoilReply } from '../../model/spoil-reply.ts';
import type { ModelReply, MessagesRequest } from '../../model/types.ts';
import type { ActiveFault } from './fault.ts';
import type { FinishedReply } from '../reply/finish-reply.ts';

/** The model's reply as a reply fault changes it, before ids, cuts and the bill. */
export function spoilModelReply(fault: ActiveFault | null, reply: ModelReply, request: MessagesRequest): ModelReply {
  return spoilReply(fault, reply, () => toBadCall(request));
}

/** The finished reply as a reply fault changes it. */
export function spoilFinishedReply(fault: ActiveFault | null, reply: FinishedReply): FinishedReply {
  if (fault?.kind === 'cut-off') return toCutOff(reply);
  if (fault?.kind === 'stop-reason') {
    return { ...reply, stopReason: fault.stopReason as Anthropic.StopReason }; // a test may invent one
  }
  if (fault?.kind !== 'thinking') return reply;
  if (reply.content[0]?.type === 'thinking') return reply;
  const thinking: Anthropic.ContentBlock = {
    type: 'thinking',
    thinking: 'A simulated thought.',
    signature: 'sim-signature',
  };
  return { ...reply, content: [thinking, ...reply.content], output: reply.output + 5 };
}

/** The thinking and half of the first text, without tool calls. */
function toCutOff(reply: FinishedReply): FinishedReply {
  const text = reply.content.find((block) => block.type === 'text')?.text ?? 'Cut off';
  const half = text.slice(0, Math.max(1, Math.floor(text.length / 2)));
  const thinking = reply.content.filter((block) => block.type === 'thinking');
  return { ...reply, content: [...thinking, { type: 'text', text: half, citations: null }], stopReason: 'max_tokens' };
}

function toBadCall(request: MessagesRequest): ModelReply['content'][number] {
  const tool = request.tools?.find((one): one is Anthropic.Tool => 'input_schema' in one);
  if (tool === undefined) return { type: 'text', text: 'No tool was offered. (simulated model)' };
  const names = tool.input_schema.required ?? Object.keys(tool.input_schema.properties ?? {});
  const input = Object.fromEntries(names.map((name) => [name, { not: 'what the schema asks for' }]));
  return { type: 'tool_use', name: tool.name, input };
}
