import { z } from 'zod';
import { invalidRequest } from '../api/api-error.ts';
import type { ServedModel } from '../api/model-table.ts';
import { cacheControl, unread } from './blocks.ts';
import { listValues, onUnknownMember, toPlainLocation, unsimulated } from './wording.ts';

/** A tool of the client's own (SDK `resources/messages/messages.d.ts`, `Tool`). The provider's own tools are not simulated. */
const tool = z.strictObject({
  type: z
    .literal('custom', {
      error: ({ path, input }) =>
        unsimulated(`${toPlainLocation(path?.slice(0, -1))}: tool type ${JSON.stringify(input)}`),
    })
    .nullish(),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal('object') }),
  cache_control: cacheControl,
  strict: unread,
  defer_loading: unread,
  eager_input_streaming: unread,
  input_examples: unread,
  allowed_callers: unread,
});

export const tools = z.array(tool);

const serial = { disable_parallel_tool_use: z.boolean().optional() };
const CHOICE_TYPES = ['auto', 'any', 'tool', 'none'];

export const toolChoice = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('auto'), ...serial }),
    z.strictObject({ type: z.literal('any'), ...serial }),
    z.strictObject({ type: z.literal('tool'), name: z.string(), ...serial }),
    z.strictObject({ type: z.literal('none') }),
  ],
  { error: onUnknownMember((_type, location) => `${location}.type: Input should be ${listValues(CHOICE_TYPES)}`) },
);

/** @throws ApiError 400 for two tools of one name, or a choice that the tools or the model do not allow */
export function checkTools(
  offered: readonly z.output<typeof tool>[],
  choice: z.output<typeof toolChoice> | undefined,
  model: ServedModel,
  isThinking: boolean,
): void {
  const names = new Set(offered.map(({ name }) => name));
  if (names.size < offered.length) throw invalidRequest('tools: Tool names must be unique.');
  if (choice === undefined) return;
  if (names.size === 0) throw invalidRequest('tool_choice: may only be specified while providing tools');
  if (choice.type !== 'any' && choice.type !== 'tool') return;
  if (!model.forcedToolChoice) {
    throw invalidRequest(`tool_choice: type '${choice.type}' is not supported by ${model.id}; use 'auto' or 'none'`);
  }
  // https://platform.claude.com/docs/en/build-with-claude/extended-thinking
  if (isThinking) throw invalidRequest('Thinking may not be enabled when tool_choice forces tool use.');
  if (choice.type === 'tool' && !names.has(choice.name)) {
    throw invalidRequest(`tool_choice: Tool '${choice.name}' not found in provided tools`);
  }
}
