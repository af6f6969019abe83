import type Anthropic from '@anthropic-ai/sdk';
import { countOf } from '../../text/plural.ts';
import { TaskFailedError } from '../../errors.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import type { ModelReply } from '../../models/model.ts';
import type { Usage } from '../../../queues/usage.ts';
import type { ResultCheck } from '../../tasks/result-schema.ts';

/** Longest single reply, tokens: enough for a file of about 800 lines. */
export const MAX_REPLY_TOKENS = 8_192;
/** Most tokens of one task, prompts and replies. A task that needs more should be a mission. */
const MAX_TASK_TOKENS = 2_000_000;

/** What one reply means for the task. */
export type Decision =
  | { kind: 'final'; value: unknown }
  | { kind: 'repair'; problem: string }
  | { kind: 'tools'; uses: Anthropic.ToolUseBlock[] }
  | { kind: 'fail'; error: TaskFailedError };

/** The state of the loop when the reply arrives. */
export interface LoopState {
  /** All tokens of the task so far, with this reply's. */
  usage: Usage;
  /** Whether the model was already asked to repair a result that breaks the schema. */
  repaired: boolean;
  /** Whether this turn is the last. */
  last: boolean;
  maxTurns: number;
  checkResult: ResultCheck;
}

/** Classifies a reply: the result, a result to repair, a request for tools, or the failure of the task. */
export function interpretReply(reply: ModelReply, state: LoopState): Decision {
  if (reply.stopReason === 'refusal') return fail('refusal', 'the model declined the task');
  if (reply.stopReason === 'max_tokens') {
    return fail('step-limit', `the reply was cut off at ${MAX_REPLY_TOKENS} tokens; split the task`);
  }
  const uses = reply.content.filter((block) => block.type === 'tool_use');
  if (uses.length > 0) return decideTools(uses, state);
  const text = reply.content
    .filter((block) => block.type === 'text')
    .map((block) => block.text)
    .join('\n')
    .trim();
  if (text === '') return fail('malformed', `the reply holds no text (stop reason ${reply.stopReason})`);
  const checked = state.checkResult(text);
  if ('value' in checked) return { kind: 'final', value: checked.value };
  if (state.repaired) {
    return fail('schema', `the result does not fit the task's schema, also after one repair: ${checked.problem}`);
  }
  return state.last ? outOfTurns(state) : { kind: 'repair', problem: checked.problem };
}

function decideTools(uses: Anthropic.ToolUseBlock[], state: LoopState): Decision {
  if (toTotalTokens(state.usage) > MAX_TASK_TOKENS) {
    return fail('step-limit', `more than ${MAX_TASK_TOKENS} tokens without a result; split the task`);
  }
  const handsBack = uses.some((use) => use.name === 'hand_back');
  // Without another turn, no reply would report what the tools did.
  return state.last && !handsBack ? outOfTurns(state) : { kind: 'tools', uses };
}

function outOfTurns({ maxTurns }: LoopState): Decision {
  return fail(
    'step-limit',
    `no result after ${countOf(maxTurns, 'turn')}; fleet retry ID --max-turns N gives it more, or split the task`,
  );
}

function fail(reason: TaskFailedError['reason'], message: string): Decision {
  return { kind: 'fail', error: new TaskFailedError(reason, message) };
}
