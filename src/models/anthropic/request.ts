import type Anthropic from '@anthropic-ai/sdk';
import { toWellFormed } from '../../text/well-formed.ts';
import type { Message } from '../format.ts';
import type { ModelRequest } from '../model.ts';
import { lacksThinking, toMessages } from './blocks.ts';

/** https://platform.claude.com/docs/en/build-with-claude/prompt-caching: four in all, the automatic one included. */
const MOST_BREAKPOINTS = 4;
const BREAKPOINT = { type: 'ephemeral' } as const;
/**
 * Models that refuse an effort: "This model does not support the effort parameter." The fleet's own calls name one, whatever
 * the model is. https://platform.claude.com/docs/en/build-with-claude/effort
 */
const WITHOUT_EFFORT = /^claude-(3|haiku-4|sonnet-4-[05]|sonnet-4-\d{8}|opus-4-[01]|opus-4-\d{8})/;

/** The vendor whose API it is. */
export const ANTHROPIC = 'anthropic';

/** The request as the API takes it. No `temperature`, `top_p` or `top_k`: the API refuses them even at their defaults. */
export function toParams(request: ModelRequest, vendor = ANTHROPIC): Anthropic.MessageCreateParamsStreaming {
  const { maxTokens, cache = 'conversation', user } = request;
  if (vendor !== ANTHROPIC) return toCompatibleParams(request);
  return {
    ...toCountedParams(request),
    max_tokens: maxTokens,
    stream: true,
    // The automatic breakpoint is on the last block: each turn reads what the turn before has written.
    ...(cache === 'conversation' && { cache_control: BREAKPOINT }),
    ...(user !== undefined && { metadata: { user_id: user } }),
  };
}

/**
 * The request for another vendor of the API: without cache marks, because such vendors cache by themselves or refuse the field.
 * DeepSeek thinks unless it is told not to, and then takes no call of a tool back without the thinking before it ("The
 * `content[].thinking` in the thinking mode must be passed back to the API."): a conversation that lacks some goes on without
 * thinking. https://api-docs.deepseek.com/guides/thinking_mode
 */
function toCompatibleParams(request: ModelRequest): Anthropic.MessageCreateParamsStreaming {
  const { maxTokens, user, abilities } = request;
  const bare = request.system.map(({ text }) => ({ type: 'text' as const, text }));
  const params = toCountedParams({ ...request, system: bare, cache: 'none' });
  const isThoughtless = abilities?.thinking === false || lacksThinking(params.messages as Message[]);
  const { effort, ...output } = params.output_config ?? {};
  const config = isThoughtless || effort === undefined ? output : { ...output, effort };
  return {
    ...params,
    output_config: Object.keys(config).length === 0 ? undefined : config,
    ...(isThoughtless && { thinking: { type: 'disabled' } as const }),
    max_tokens: maxTokens,
    stream: true,
    ...(user !== undefined && { metadata: { user_id: user } }),
  };
}

/** The part of the request that counts as input. */
export function toCountedParams(request: ModelRequest): Anthropic.MessageCountTokensParams {
  const { model, tools, toolChoice, outputSchema } = request;
  const effort = WITHOUT_EFFORT.test(model) ? undefined : request.effort;
  const { system, messages } = toWellFormed({
    system: toSystem(request),
    messages: toMessages(request.messages, model),
  });
  return {
    model,
    messages,
    ...(system.length > 0 && { system }),
    ...(tools.length > 0 && { tools: toWellFormed(tools) }),
    ...(tools.length > 0 && toolChoice === 'none' && { tool_choice: { type: 'none' } as const }),
    ...((outputSchema !== undefined || effort !== undefined) && {
      output_config: {
        ...(effort !== undefined && { effort }),
        ...(outputSchema !== undefined && {
          format: { type: 'json_schema' as const, schema: toWellFormed(outputSchema) },
        }),
      },
    }),
  };
}

/** A breakpoint on the last block caches tools and system for all jobs that share them, whatever their conversations. */
function toSystem({ system, messages, tools, cache = 'conversation' }: ModelRequest): Anthropic.TextBlockParam[] {
  const last = system.at(-1);
  if (cache === 'none' || last === undefined || last.text === '' || (last.cache_control ?? null) !== null)
    return system;
  const blocks = [
    ...tools,
    ...system,
    ...messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content)),
  ];
  const own = blocks.filter((block) => 'cache_control' in block && (block.cache_control ?? null) !== null).length;
  if (own + 2 > MOST_BREAKPOINTS) return system;
  return [...system.slice(0, -1), { ...last, cache_control: BREAKPOINT }];
}
