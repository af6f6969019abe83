import type { ReplyBlock } from '../../../src/models/format.ts';
import type { Model, ModelReply, ModelRequest } from '../../../src/models/model.ts';
import type { Usage } from '../../../queues/usage.ts';

/** One reply of a scripted model: text, after thinking if it has a signature, or tools to use. */
export type Step =
  | string
  | { tools: { name: string; input: object }[] }
  | { text: string; signature?: string; stopReason?: string; usage?: Partial<Usage> };

/**
 * A provider in this process whose calls can be counted and held. For tests of what happens around a call; what happens
 * inside one is tested over HTTP.
 */
export function createScriptedModel(answer: (request: ModelRequest, call: number) => Step | Promise<Step>): Model & {
  calls: ModelRequest[];
} {
  const calls: ModelRequest[] = [];
  return {
    calls,
    async call(request, { signal }) {
      signal.throwIfAborted();
      calls.push(structuredClone(request));
      const step = await answer(request, calls.length);
      return toReply(request, step, calls.length);
    },
    countTokens: async () => null,
  };
}

function toReply(request: ModelRequest, step: Step, call: number): ModelReply {
  const usage = { input: 100, cache_write: 0, cache_read: 0, output: 200 };
  const base = { id: `msg_scripted_${call}`, model: request.model };
  if (typeof step === 'object' && 'tools' in step) {
    const content = step.tools.map((tool, i) => ({ type: 'tool_use', id: `toolu_${call}_${i}`, ...tool }));
    return { ...base, content: content as ReplyBlock[], stopReason: 'tool_use', usage };
  }
  const {
    text,
    signature,
    stopReason = 'end_turn',
    usage: given = {},
  } = typeof step === 'string' ? { text: step } : step;
  const thinking = signature === undefined ? [] : [{ type: 'thinking', thinking: '', signature }];
  const content = [...thinking, { type: 'text', text }] as ReplyBlock[];
  return { ...base, content, stopReason, usage: { ...usage, ...given } };
}
