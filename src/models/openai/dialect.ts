import type { Effort } from '../../../queues/effort.ts';

/** How much a request lets the model think. */
interface AskedThinking {
  effort: Effort | undefined;
  hasTools: boolean;
  /** False: the model's row rules thinking out. */
  thinks: boolean;
}

/** What one vendor of chat completions wants otherwise than the others. */
export interface ChatDialect {
  /** Reasoning models of OpenAI refuse `max_tokens`; most others know nothing else. */
  maxTokens: 'max_completion_tokens' | 'max_tokens';
  /** Whether `stream_options` asks for the usage; else the last chunk has it anyway. */
  asksUsage: boolean;
  sendsUser: boolean;
  /** Whether a reply may be held to a JSON schema. */
  takesSchema: boolean;
  /** Fields for how much a model thinks; none where it has none. */
  toEffort: (model: string, asked: AskedThinking) => Record<string, unknown>;
  /**
   * Reasoning of earlier replies. `never`: a message with it is refused. `same`: under the field that it came in. `with-calls`: the same,
   * and a reply that calls tools has the field in any case.
   */
  reasoning: 'never' | 'same' | 'with-calls';
  /** Ids of calls: at most 40 characters, or exactly nine letters and digits. */
  callIds: 'forty' | 'nine';
  /** Whether a user's text may follow the answer of a tool; else it becomes part of the answer. */
  takesUserAfterTool: boolean;
  /** Whether `tool_choice: none` is read; else such a request offers no tools. */
  readsToolChoice: boolean;
}

const COMPATIBLE: ChatDialect = {
  maxTokens: 'max_tokens',
  asksUsage: true,
  sendsUser: true,
  takesSchema: true,
  toEffort: () => ({}),
  reasoning: 'same',
  callIds: 'forty',
  takesUserAfterTool: true,
  readsToolChoice: true,
};

const DIALECTS: Record<string, ChatDialect> = {
  openai: {
    ...COMPATIBLE,
    maxTokens: 'max_completion_tokens',
    toEffort: toOpenAiEffort,
    reasoning: 'never', // "Unknown parameter": https://github.com/openai/openai-python/pull/2192
  },
  deepseek: {
    ...COMPATIBLE,
    sendsUser: false,
    takesSchema: false, // https://github.com/llm-exe/llm-exe/issues/662
    // https://api-docs.deepseek.com/guides/thinking_mode: it maps the other efforts to low, high and max
    toEffort: (_model, { effort, thinks }) => {
      if (!thinks) return { thinking: { type: 'disabled' } };
      return effort === undefined ? {} : { reasoning_effort: effort };
    },
    reasoning: 'with-calls', // https://api-docs.deepseek.com/guides/thinking_mode#tool-calls
  },
  mistral: {
    ...COMPATIBLE,
    asksUsage: false, // 422 extra_forbidden for each field that it does not know: https://github.com/editor-code-assistant/eca/issues/231
    sendsUser: false,
    reasoning: 'never', // https://github.com/charmbracelet/crush/issues/1590
    callIds: 'nine', // https://github.com/nearai/ironclaw/issues/1241
    takesUserAfterTool: false, // https://github.com/datapizza-labs/datapizza-ai/issues/98
  },
  openrouter: {
    ...COMPATIBLE,
    // https://openrouter.ai/docs/use-cases/reasoning-tokens
    toEffort: (_model, { effort, thinks }) => {
      if (!thinks) return { reasoning: { effort: 'none' } };
      return effort === undefined ? {} : { reasoning: { effort: effort === 'max' ? 'xhigh' : effort } };
    },
  },
  ollama: { ...COMPATIBLE, readsToolChoice: false }, // https://docs.ollama.com/api/openai-compatibility
};

/** Any other vendor is taken as one that is compatible. */
export function toDialect(vendor: string): ChatDialect {
  return DIALECTS[vendor] ?? COMPATIBLE;
}

const REASONS = /^(?:o\d|gpt-[5-9])(?!.*-chat)/;
/** From GPT-5.2 on, tools need effort `none` here: https://github.com/livekit/agents/pull/5088, https://github.com/BerriAI/litellm/pull/34569 */
const REASONS_WITHOUT_TOOLS = /^gpt-(?:5\.[2-9]|[6-9])/;
const KNOWS_MAX = /^gpt-(?:5\.[6-9]|[6-9])/;
const KNOWS_XHIGH = /^gpt-(?:5\.[2-9]|[6-9])/;
const KNOWS_NONE = /^gpt-(?:5\.[1-9]|[6-9])/;

function toOpenAiEffort(model: string, { effort, hasTools, thinks }: AskedThinking): Record<string, unknown> {
  if (!REASONS.test(model)) return {};
  if (hasTools && REASONS_WITHOUT_TOOLS.test(model)) return { reasoning_effort: 'none' };
  if (!thinks) return { reasoning_effort: KNOWS_NONE.test(model) ? 'none' : 'low' };
  if (effort === undefined) return {};
  const known = effort === 'max' && !KNOWS_MAX.test(model) ? 'xhigh' : effort;
  return { reasoning_effort: known === 'xhigh' && !KNOWS_XHIGH.test(model) ? 'high' : known };
}
