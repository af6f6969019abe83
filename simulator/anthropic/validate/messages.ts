import { invalidRequest, notSimulated } from '../api/api-error.ts';
import { checkCacheControl, refuseExtraKeys, requireList, requireObject, requireString } from './shape.ts';
import { isObject, type JsonObject } from '../../provider-host/json.ts';

const BLOCK_KEYS: Record<string, readonly string[]> = {
  text: ['type', 'text', 'citations', 'cache_control'],
  tool_use: ['type', 'id', 'name', 'input', 'caller', 'toolset_name', 'cache_control'],
  tool_result: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'],
  thinking: ['type', 'thinking', 'signature'],
  redacted_thinking: ['type', 'data'],
};
const BLOCKS_OF_ROLE = {
  user: ['text', 'tool_result'],
  assistant: ['text', 'tool_use', 'thinking', 'redacted_thinking'],
};

/** Checks roles, blocks and the pairing of tool calls and results. @throws ApiError 400 */
export function checkMessages(value: unknown): void {
  const messages = requireList('messages', value).map((message, at) => checkMessage(`messages.${at}`, message));
  const first = messages[0];
  if (first === undefined) throw invalidRequest('messages: at least one message is required');
  if (first.role !== 'user') throw invalidRequest('messages: first message must use the "user" role');
  checkPairing(messages);
  if (messages.at(-1)?.role === 'assistant') {
    throw invalidRequest(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    );
  }
}

/** @throws ApiError 400 unless the value is a string or a list of non-empty text blocks */
export function checkSystem(value: unknown): void {
  if (value === undefined || typeof value === 'string') return;
  for (const [at, block] of requireList('system', value).entries()) {
    const checked = requireObject(`system.${at}`, block);
    if (checked.type !== 'text') throw invalidRequest(`system.${at}.type: Input should be 'text'`);
    checkBlock(`system.${at}`, checked, 'system');
  }
}

interface CheckedMessage {
  role: 'user' | 'assistant';
  blocks: JsonObject[];
}

function checkMessage(path: string, value: unknown): CheckedMessage {
  const message = requireObject(path, value);
  refuseExtraKeys(`${path}.`, message, ['role', 'content']);
  const role = requireString(`${path}.role`, message.role);
  if (role === 'system') throw notSimulated(`${path}.role 'system'`);
  if (role !== 'user' && role !== 'assistant') {
    throw invalidRequest(`${path}.role: Input should be 'user' or 'assistant'`);
  }
  const { content } = message;
  if (content === '' || (Array.isArray(content) && content.length === 0)) {
    throw invalidRequest(`${path}: all messages must have non-empty content`);
  }
  const list =
    typeof content === 'string' ? [{ type: 'text', text: content }] : requireList(`${path}.content`, content);
  const blocks = list.map((block, at) => {
    const checked = requireObject(`${path}.content.${at}`, block);
    const type = requireString(`${path}.content.${at}.type`, checked.type);
    if (!BLOCKS_OF_ROLE[role].includes(type)) {
      if (BLOCK_KEYS[type] === undefined) throw notSimulated(`${path}.content.${at}: block type '${type}'`);
      throw invalidRequest(`${path}.content.${at}: \`${type}\` blocks are not allowed in ${role} messages`);
    }
    checkBlock(`${path}.content.${at}`, checked, 'messages');
    return checked;
  });
  return { role, blocks };
}

function checkBlock(path: string, block: JsonObject, place: string): void {
  const type = String(block.type);
  refuseExtraKeys(`${path}.${type}.`, block, BLOCK_KEYS[type] ?? []);
  checkCacheControl(`${path}.cache_control`, block.cache_control);
  if (type === 'text') {
    const text = requireString(`${path}.text.text`, block.text);
    if (text === '') throw invalidRequest(`${place}: text content blocks must be non-empty`);
    if (text.trim() === '') throw invalidRequest(`${place}: text content blocks must contain non-whitespace text`);
  } else if (type === 'tool_use') {
    const id = requireString(`${path}.tool_use.id`, block.id);
    if (!/^[a-zA-Z0-9_-]+$/.test(id)) {
      throw invalidRequest(`${path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
    }
    requireString(`${path}.tool_use.name`, block.name);
    requireObject(`${path}.tool_use.input`, block.input);
  } else if (type === 'tool_result') {
    requireString(`${path}.tool_result.tool_use_id`, block.tool_use_id);
    checkResultContent(`${path}.tool_result`, block);
  }
}

function checkResultContent(path: string, block: JsonObject): void {
  const { content, is_error: isError } = block;
  if (isError !== undefined && typeof isError !== 'boolean') {
    throw invalidRequest(`${path}.is_error: Input should be a valid boolean`);
  }
  if (content === undefined || typeof content === 'string') return;
  for (const [at, part] of requireList(`${path}.content`, content).entries()) {
    const checked = requireObject(`${path}.content.${at}`, part);
    if (checked.type !== 'text') throw notSimulated(`${path}.content.${at}: block type '${String(checked.type)}'`);
    checkBlock(`${path}.content.${at}`, checked, 'messages');
  }
}

/** Each tool call is answered once, at the start of the very next user message, and nothing else is answered. */
function checkPairing(messages: readonly CheckedMessage[]): void {
  const seen = new Set<unknown>();
  for (const [at, message] of messages.entries()) {
    if (message.role === 'user') {
      checkResults(at, message, at === 0 ? [] : callIds(messages[at - 1]));
      continue;
    }
    const calls = callIds(message);
    for (const id of calls) {
      if (seen.has(id)) throw invalidRequest(`messages.${at}.content: \`tool_use\` ids must be unique`);
      seen.add(id);
    }
    const next = messages[at + 1];
    const answered = new Set(next?.role === 'user' ? leadingResults(next) : []);
    const missing = calls.filter((id) => !answered.has(id));
    if (missing.length > 0) {
      throw invalidRequest(
        `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
  }
}

function checkResults(at: number, message: CheckedMessage, expected: readonly unknown[]): void {
  const seen = new Set<unknown>();
  for (const [place, block] of message.blocks.entries()) {
    if (block.type !== 'tool_result') continue;
    const id = block.tool_use_id;
    if (!expected.includes(id)) {
      throw invalidRequest(
        `messages.${at}.content.${place}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${String(id)}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    }
    if (seen.has(id)) {
      throw invalidRequest(
        `messages.${at}.content.${place}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${String(id)}`,
      );
    }
    seen.add(id);
  }
}

function callIds(message: CheckedMessage | undefined): unknown[] {
  if (message?.role !== 'assistant') return [];
  return message.blocks.filter((block) => block.type === 'tool_use').map((block) => block.id);
}

/** Results count as long as nothing stands before them in the message. */
function leadingResults(message: CheckedMessage): unknown[] {
  const end = message.blocks.findIndex((block) => isObject(block) && block.type !== 'tool_result');
  return message.blocks.slice(0, end < 0 ? undefined : end).map((block) => block.tool_use_id);
}
