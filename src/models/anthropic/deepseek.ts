import type { ArchiveFinish, ArchiveModel, ArchiveRequest } from '../archive-model.ts';
import { type AnthropicOptions, createAnthropicModel } from './adapter.ts';

/** The stop reasons of the Anthropic API, which DeepSeek implements. */
const FINISHES: Record<string, ArchiveFinish> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'max-tokens',
  refusal: 'safety',
};

/**
 * DeepSeek behind its Anthropic API, for the archive. It ignores unknown fields, so that the prompt describes the reply's
 * shape, and it needs the key in `x-api-key`. It counts no tokens.
 * https://api-docs.deepseek.com/guides/anthropic_api
 */
export function createDeepseekModel(options: Omit<AnthropicOptions, 'headers'>): ArchiveModel {
  const model = createAnthropicModel({
    ...options,
    baseUrl: options.baseUrl ?? 'https://api.deepseek.com/anthropic',
    headers: { 'x-api-key': options.apiKey },
  });
  return {
    async ask(request, call) {
      const reply = await model.call(
        {
          model: request.model,
          system: [{ type: 'text', text: toSystem(request) }],
          messages: [{ role: 'user', content: request.prompt }],
          tools: [],
          maxTokens: request.maxTokens,
          cache: 'none', // DeepSeek caches by itself
        },
        call,
      );
      const text = reply.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
      const finish = FINISHES[reply.stopReason] ?? 'other';
      return {
        text,
        finish: finish === 'stop' && text.trim() === '' ? 'empty' : finish,
        finishWords: reply.stopReason,
        usage: reply.usage,
        model: reply.model,
      };
    },
    countTokens: async (_prompt, { signal }) => {
      signal.throwIfAborted();
      return null;
    },
  };
}

function toSystem({ system, responseSchema }: ArchiveRequest): string {
  return `${system}\n\nYour whole reply is one JSON value that fits this JSON Schema, without a word or a fence around it:\n${JSON.stringify(responseSchema)}`.trim();
}
