import type { MessagesRequest } from '../types.ts';
import { isObject, type JsonObject } from '../../provider-host/json.ts';

/** One tool call of the conversation and its result. */
export interface Step {
  name: string;
  input: JsonObject;
  /** The result's text. */
  content: string;
  isError: boolean;
  /** Whether the caller dropped the result from the prompt to keep it small. */
  isLost: boolean;
}

/** All tool calls that have a result, in order. */
export function toSteps(request: MessagesRequest): Step[] {
  const results = new Map<string, { content: string; isError: boolean }>();
  const steps: Step[] = [];
  for (const message of request.messages) {
    if (typeof message.content === 'string') continue;
    for (const block of message.content) {
      if (block.type !== 'tool_result') continue;
      results.set(block.tool_use_id, { content: toText(block.content), isError: block.is_error === true });
    }
  }
  for (const message of request.messages) {
    if (typeof message.content === 'string') continue;
    for (const block of message.content) {
      const result = block.type === 'tool_use' ? results.get(block.id) : undefined;
      if (block.type !== 'tool_use' || result === undefined) continue;
      const isLost = /^\[[^\]\n]*\bdropped\b[^\]\n]*\]$/.test(result.content.trim());
      steps.push({ name: block.name, input: isObject(block.input) ? block.input : {}, ...result, isLost });
    }
  }
  return steps;
}

/** The last call of the tool whose input has all the given fields. */
export function findStep(steps: readonly Step[], name: string, input: JsonObject): Step | undefined {
  return steps.findLast(
    (step) =>
      step.name === name &&
      Object.entries(input).every(([key, value]) => JSON.stringify(step.input[key]) === JSON.stringify(value)),
  );
}

function toText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('');
}
