import type { ArchiveFinish, ArchiveModel } from './archive-model.ts';
import type { Model } from './model.ts';

/** The stop reasons of `ModelReply`. */
const FINISHES: Record<string, ArchiveFinish> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'max-tokens',
  model_context_window_exceeded: 'max-tokens',
  refusal: 'safety',
};

/** Any model as one that answers the archive's questions: one message, no tools, and a reply of a given shape. */
export function createArchiveOverModel(model: Pick<Model, 'call' | 'countTokens'>): ArchiveModel {
  return {
    async ask({ model: id, system, prompt, maxTokens, responseSchema }, call) {
      const reply = await model.call(
        {
          model: id,
          system: [{ type: 'text', text: system }],
          messages: [{ role: 'user', content: prompt }],
          tools: [],
          maxTokens,
          cache: 'none', // the archive changes, and its next question may come in hours
          outputSchema: toStrict(responseSchema),
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
    async countTokens({ model: id, system, prompt }, { signal }) {
      signal.throwIfAborted();
      const messages = [{ role: 'user' as const, content: prompt }];
      const request = {
        model: id,
        system: [{ type: 'text' as const, text: system }],
        messages,
        tools: [],
        maxTokens: 1,
      };
      return model.countTokens(request, { signal });
    },
  };
}

/**
 * Providers that enforce a schema want every object closed, with all its properties required.
 * https://platform.claude.com/docs/en/build-with-claude/structured-outputs, https://platform.openai.com/docs/guides/structured-outputs
 */
function toStrict(schema: Record<string, unknown>): Record<string, unknown> {
  return schema['type'] === 'object' ? { ...schema, additionalProperties: false } : schema;
}
