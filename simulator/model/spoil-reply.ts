import type { ModelReply } from './types.ts';

/**
 * The model's reply as a fault of its content changes it, before ids, cuts and the bill; the same in every dialect.
 * @param toBadCall a call of an offered tool with an input that breaks its schema
 */
export function spoilReply(
  fault: { kind: string; message?: string | undefined } | null,
  reply: ModelReply,
  toBadCall: () => ModelReply['content'][number],
): ModelReply {
  const { kind = '', message } = fault ?? {};
  switch (kind) {
    case 'refusal':
      return { ...reply, content: [], refusal: message ?? 'The simulated model declines this request.' };
    case 'empty-content':
      return { ...reply, content: [] };
    case 'bad-tool-input':
      return { ...reply, content: [toBadCall()] };
    case 'unknown-tool':
      return { ...reply, content: [{ type: 'tool_use', name: 'teleport', input: { to: 'nowhere' } }] };
    default:
      return reply;
  }
}
