import { hash } from 'node:crypto';
import { type ContentBlock, type Message, readOpaque, type ThinkingBlock } from '../format.ts';
import type { ChatDialect } from './dialect.ts';

/** A message of the API, as far as the fleet sends it. https://platform.openai.com/docs/api-reference/chat/create */
export type ChatMessage =
  | { role: 'system' | 'user'; content: string }
  | { role: 'tool'; content: string; tool_call_id: string }
  | { role: 'assistant'; content: string | null; tool_calls?: ChatCall[]; [reasoning: string]: unknown };

interface ChatCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** What an adapter keeps with a thinking block, to send it back. */
export interface KeptReasoning {
  /** The field of a message that it came in. */
  field?: string;
  /** `reasoning_details`, which OpenRouter wants back whole. https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks */
  details?: unknown[];
}

/** The messages as the dialect takes them. @param model that is asked */
export function toChatMessages(messages: readonly Message[], model: string, dialect: ChatDialect): ChatMessage[] {
  return messages.flatMap(({ role, content }) => {
    const blocks: ContentBlock[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    return role === 'user' ? toUserMessages(blocks, dialect) : toAssistantMessages(blocks, model, dialect);
  });
}

/** The answers of tools come first: nothing may stand between them and their calls. */
function toUserMessages(blocks: readonly ContentBlock[], dialect: ChatDialect): ChatMessage[] {
  const answers = blocks
    .filter((block) => block.type === 'tool_result')
    .map(({ tool_use_id: id, content, is_error: isError }) => ({
      role: 'tool' as const,
      tool_call_id: toCallId(id, dialect),
      content: isError === true && !content.startsWith('Error') ? `Error: ${content}` : content, // the API has no mark for an error
    }));
  const text = joinTexts(blocks);
  if (text === '') return answers;
  const last = answers.at(-1);
  if (last === undefined || dialect.takesUserAfterTool) return [...answers, { role: 'user', content: text }];
  return [...answers.slice(0, -1), { ...last, content: `${last.content}\n\n${text}` }];
}

function toAssistantMessages(blocks: readonly ContentBlock[], model: string, dialect: ChatDialect): ChatMessage[] {
  const calls = blocks
    .filter((block) => block.type === 'tool_use')
    .map(({ id, name, input }): ChatCall => {
      const json = JSON.stringify(input ?? {});
      return { id: toCallId(id, dialect), type: 'function', function: { name, arguments: json } };
    });
  const text = joinTexts(blocks);
  if (text === '' && calls.length === 0) return []; // such a message is refused
  return [
    {
      role: 'assistant',
      content: text === '' ? null : text,
      ...toReasoning(blocks, { model, dialect, hasCalls: calls.length > 0 }),
      ...(calls.length > 0 && { tool_calls: calls }),
    },
  ];
}

/** Reasoning goes back to the model that wrote it only. */
function toReasoning(
  blocks: readonly ContentBlock[],
  { model, dialect, hasCalls }: { model: string; dialect: ChatDialect; hasCalls: boolean },
): Record<string, unknown> {
  if (dialect.reasoning === 'never') return {};
  const fields: Record<string, unknown> = {};
  const texts: Record<string, string> = {};
  for (const block of blocks) {
    const kept = block.type === 'thinking' ? readKept(block, model) : null;
    if (kept === null || block.type !== 'thinking') continue;
    if (kept.field !== undefined) texts[kept.field] = `${texts[kept.field] ?? ''}${block.thinking}`;
    if (kept.details !== undefined) fields['reasoning_details'] = kept.details;
  }
  Object.assign(fields, texts);
  if (dialect.reasoning === 'with-calls' && hasCalls) fields['reasoning_content'] ??= ''; // also of a reply that another model wrote
  return fields;
}

function readKept(block: ThinkingBlock, model: string): KeptReasoning | null {
  return readOpaque(block, { api: 'openai', model }) as (KeptReasoning & object) | null;
}

/** An id that the dialect takes, the same for the same id. */
function toCallId(id: string, { callIds }: ChatDialect): string {
  if (callIds === 'nine') return /^[a-zA-Z0-9]{9}$/.test(id) ? id : hash('sha256', id).slice(0, 9);
  return id.length <= 40 ? id : `call_${hash('sha256', id).slice(0, 24)}`; // https://github.com/agno-agi/agno/issues/5382
}

function joinTexts(blocks: readonly ContentBlock[]): string {
  return blocks
    .flatMap((block) => (block.type === 'text' && block.text.trim() !== '' ? [block.text] : []))
    .join('\n\n');
}
