import { ChatApiError, invalidRequest } from '../api/api-error.ts';
import type { ChatVendor } from '../api/model-table.ts';
import type { ChatMessage } from './fields.ts';

/**
 * Checks the order of messages: each call of a tool has one answer, right after it, and each answer a call. The words:
 * https://github.com/sdcb/chats/pull/132
 * @throws ChatApiError 400
 */
export function checkConversation(messages: readonly ChatMessage[], vendor: ChatVendor): void {
  if (vendor === 'mistral') checkMistral(messages);
  let open: string[] = []; // calls that wait for their answer
  let opened = 0; // place of their message
  for (const [i, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.includes(message.tool_call_id)) {
        throw invalidRequest(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${i}].role`,
        );
      }
      open = open.filter((id) => id !== message.tool_call_id);
      continue;
    }
    refuseOpen(open, opened);
    if (message.role !== 'assistant') continue;
    const calls = message.tool_calls ?? [];
    if (calls.length === 0 && (message.content ?? null) === null) {
      throw invalidRequest("Invalid value for 'content': expected a string, got null.", `messages.[${i}].content`);
    }
    open = calls.map(({ id }) => id);
    opened = i;
  }
  refuseOpen(open, opened);
}

function refuseOpen(open: readonly string[], index: number): void {
  if (open.length === 0) return;
  throw invalidRequest(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`,
    `messages.[${index}].role`,
  );
}

/**
 * Ids of nine letters and digits, and no user right after a tool. https://github.com/nearai/ironclaw/issues/1241,
 * https://github.com/datapizza-labs/datapizza-ai/issues/98
 */
function checkMistral(messages: readonly ChatMessage[]): void {
  for (const [i, message] of messages.entries()) {
    const ids = message.role === 'assistant' ? (message.tool_calls ?? []).map(({ id }) => id) : [];
    if (message.role === 'tool') ids.push(message.tool_call_id);
    const wrong = ids.find((id) => !/^[a-zA-Z0-9]{9}$/.test(id));
    if (wrong !== undefined) {
      const words = `Tool call id was ${wrong} but must be a-z, A-Z, 0-9, with a length of 9.`;
      throw new ChatApiError(400, 'invalid_function_call', words, { code: '3280', isFlat: true });
    }
    const before = messages[i - 1]?.role;
    if (message.role !== 'user' || before !== 'tool') continue;
    const words = `Unexpected role 'user' after role 'tool'`;
    throw new ChatApiError(400, 'invalid_request_message_order', words, { code: '3230', isFlat: true });
  }
  if (messages.at(-1)?.role !== 'assistant') return;
  const words = 'Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant';
  throw new ChatApiError(400, 'invalid_request_message_order', words, { code: '3230', isFlat: true });
}

/**
 * DeepSeek's rule for reasoning in a conversation with calls of tools: every message of the model that calls one has it, be
 * it empty. https://api-docs.deepseek.com/guides/thinking_mode#tool-calls
 * @throws ChatApiError 400
 */
export function checkReasoning(messages: readonly ChatMessage[]): void {
  const missing = messages.some(
    (message) =>
      message.role === 'assistant' &&
      (message.tool_calls ?? []).length > 0 &&
      typeof message['reasoning_content'] !== 'string',
  );
  if (!missing) return;
  throw invalidRequest(
    'The `reasoning_content` in the thinking mode must be passed back to the API.',
    null,
    'invalid_request_error',
  );
}
