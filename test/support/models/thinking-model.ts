import type { Message, ThinkingBlock } from '../../../src/models/format.ts';
import { createHash } from 'node:crypto';
import { BoundThinkingError } from '../../../src/errors.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { createScriptedModel } from './scripted-model.ts';

type Prompt = Pick<ModelRequest, 'system' | 'tools' | 'messages'>;

const CHARS_PER_TOKEN = 2.5;

/**
 * A scripted model that thinks before each reply and binds its thinking to the prompt, as the 5.5 models do. It counts the
 * prompt's tokens.
 */
export function createThinkingModel(
  ...script: Parameters<typeof createScriptedModel>
): ReturnType<typeof createScriptedModel> {
  const scripted = createScriptedModel(...script);
  return {
    calls: scripted.calls,
    countTokens: async () => null,
    async call(request, options) {
      checkThinking(request);
      const thinking = toThinking(request);
      const reply = await scripted.call(request, options);
      const input = Math.ceil(JSON.stringify(request).length / CHARS_PER_TOKEN);
      return { ...reply, content: [thinking, ...reply.content], usage: { ...reply.usage, input } };
    },
  };
}

/** The thinking of a reply to this prompt: its text is empty, its signature depends on all but earlier thinking. */
export function toThinking(prompt: Prompt): ThinkingBlock {
  return { type: 'thinking', thinking: '', signature: sign(prompt, prompt.messages.length) };
}

/** @throws BoundThinkingError if the provider would refuse the thinking of this prompt; nothing is billed */
export function checkThinking(prompt: Prompt): void {
  let isThinkingKept = false;
  for (const [i, { role, content }] of prompt.messages.entries()) {
    if (role !== 'assistant') continue;
    const block = Array.isArray(content) ? content.find(({ type }) => type === 'thinking') : undefined;
    if (block === undefined && !isThinkingKept) continue; // of the leading run
    if (block?.type === 'thinking' && block.signature === sign(prompt, i)) isThinkingKept = true;
    else throw refused(`messages.${i}.content.0: Invalid \`signature\` in \`thinking\` block.`);
  }
}

export function hasThinking({ messages }: Pick<Prompt, 'messages'>): boolean {
  return JSON.stringify(messages).includes('"type":"thinking"');
}

function sign({ system, tools, messages }: Prompt, end: number): string {
  const before = messages.slice(0, end).map(({ role, content }) => ({ role, content: withoutThinking(content) }));
  return createHash('sha256')
    .update(JSON.stringify([system, tools, before], (key, part: unknown) => (key === 'cache_control' ? null : part)))
    .digest('hex');
}

function withoutThinking(content: Message['content']): unknown {
  return typeof content === 'string' ? content : content.filter(({ type }) => type !== 'thinking');
}

function refused(message: string): BoundThinkingError {
  const error = new BoundThinkingError(message);
  error.billed = 'no';
  return error;
}
