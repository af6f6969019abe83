import { invalidRequest } from '../api/api-error.ts';
import type { ParsedMessage } from './blocks.ts';

/**
 * Checks the order of roles and the pairing of tool calls and results: each call has one result, at the start of the next
 * user message, and each result has a call. https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
 * @throws ApiError 400
 */
export function checkConversation(messages: readonly ParsedMessage[]): void {
  const [first] = messages;
  if (first === undefined) throw invalidRequest('messages: at least one message is required');
  if (first.role !== 'user') throw invalidRequest('messages: first message must use the "user" role');
  checkCalls(messages);
  for (const [i, message] of messages.entries()) checkResults(i, message, toCallIds(messages[i - 1]));
  if (messages.at(-1)?.role === 'assistant') {
    throw invalidRequest(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
  }
}

function checkCalls(messages: readonly ParsedMessage[]): void {
  const seen = new Set<string>();
  for (const [i, message] of messages.entries()) {
    const calls = toCallIds(message);
    for (const id of calls) {
      if (seen.has(id)) throw invalidRequest(`messages.${i}.content: \`tool_use\` ids must be unique`);
      seen.add(id);
    }
    const answered = toLeadingResultIds(messages[i + 1]);
    const missing = calls.filter((id) => !answered.includes(id));
    if (missing.length > 0) {
      throw invalidRequest(
        `messages.${i}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
  }
}

function checkResults(index: number, message: ParsedMessage, calls: readonly string[]): void {
  const seen = new Set<string>();
  for (const [i, block] of message.content.entries()) {
    if (block.type !== 'tool_result') continue;
    const id = block.tool_use_id;
    if (!calls.includes(id)) {
      throw invalidRequest(
        `messages.${index}.content.${i}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    }
    if (seen.has(id)) {
      throw invalidRequest(
        `messages.${index}.content.${i}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`,
      );
    }
    seen.add(id);
  }
}

function toCallIds(message: ParsedMessage | undefined): string[] {
  return (message?.content ?? []).flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
}

/** Results count only before every other block of the message. */
function toLeadingResultIds(message: ParsedMessage | undefined): string[] {
  const ids: string[] = [];
  for (const block of message?.content ?? []) {
    if (block.type !== 'tool_result') break;
    ids.push(block.tool_use_id);
  }
  return ids;
}
