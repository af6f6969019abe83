import type { ToolUseBlock } from '../../models/format.ts';
import { countOf } from '../../text/plural.ts';
import { TaskFailedError } from '../../errors.ts';
import type { ModelReply } from '../../models/model.ts';
import type { CheckedResult } from '../../tasks/schema/result-check.ts';

/** Stop reasons of a reply that the model ended itself. After any other, a text may be half and a tool call wrong. */
const WHOLE = new Set(['end_turn', 'stop_sequence', 'tool_use']);

/** What one reply means for the task. */
export type Decision =
  | { kind: 'final'; value: unknown; isPartial: boolean }
  | { kind: 'repair'; problem: string }
  | { kind: 'tools'; uses: ToolUseBlock[] }
  /** A whole reply that says nothing: the model is asked again. */
  | { kind: 'empty' }
  | { kind: 'fail'; error: TaskFailedError };

/** The state of the loop when the reply arrives. */
export interface LoopState {
  /** Whether the model was already asked to repair a result that breaks the schema. */
  repaired: boolean;
  /** Whether the model was already asked again after an empty reply. */
  nudged: boolean;
  /** Whether this turn is the last: the model was told to report what it has. */
  last: boolean;
  /** From 0. */
  turn: number;
  /** Of the text of `toResultText`. Null: it was not checked, because there is none. */
  checked: CheckedResult | null;
}

/** The text of a reply that may be the result; null: it is not whole, asks for tools or says nothing. */
export function toResultText(reply: ModelReply): string | null {
  const isText = WHOLE.has(reply.stopReason) && reply.content.every((block) => block.type !== 'tool_use');
  const text = isText ? toText(reply) : '';
  return text === '' ? null : text;
}

/** Classifies a reply: the result, a result to repair, a request for tools, nothing, or the failure of the task. */
export function interpretReply(reply: ModelReply, state: LoopState): Decision {
  if (!WHOLE.has(reply.stopReason)) return fail(...toHalfReason(reply));
  const uses = reply.content.filter((block) => block.type === 'tool_use');
  if (uses.length > 0) return decideTools(uses, state);
  const text = toText(reply);
  if (text !== '' && state.checked !== null) return decideText(text, state.checked, state);
  if (state.last) return outOfTurns(state);
  return state.nudged
    ? fail('malformed', 'the reply holds no text, also after it was asked for again')
    : { kind: 'empty' };
}

/** The result, if the text is one. The last turn keeps what the model has, so that paid work is not lost. */
function decideText(text: string, checked: CheckedResult, { last, repaired, turn }: LoopState): Decision {
  if ('failure' in checked)
    return fail('schema', `the result cannot be checked: the task's schema: ${checked.failure}`);
  if ('value' in checked) return { kind: 'final', value: checked.value, isPartial: last && turn > 0 };
  if (repaired) {
    return fail('schema', `the result does not fit the task's schema, also after one repair: ${checked.problem}`);
  }
  return last ? { kind: 'final', value: text, isPartial: true } : { kind: 'repair', problem: checked.problem };
}

function toText({ content }: ModelReply): string {
  const texts = content.filter((block) => block.type === 'text').map((block) => block.text);
  return texts.join('\n').trim();
}

function decideTools(uses: ToolUseBlock[], state: LoopState): Decision {
  const handsBack = uses.some((use) => use.name === 'hand_back');
  // Without another turn, no reply would report what the tools did.
  return state.last && !handsBack ? outOfTurns(state) : { kind: 'tools', uses };
}

function toHalfReason({ stopReason, usage }: ModelReply): [TaskFailedError['reason'], string] {
  switch (stopReason) {
    case 'refusal':
      return ['refusal', 'the model declined the task'];
    case 'max_tokens':
      return ['step-limit', `the reply was cut off at ${usage.output} tokens; split the task`];
    case 'model_context_window_exceeded':
      return ['too-long', "the prompt and the reply fill the model's window; split the task"];
    default:
      return ['malformed', `the reply is not whole: it stopped with ${JSON.stringify(stopReason)}`];
  }
}

function outOfTurns({ turn }: LoopState): Decision {
  return fail(
    'step-limit',
    `no result after ${countOf(turn + 1, 'turn')}; fleet retry ID --max-turns N gives it more, or split the task`,
  );
}

function fail(reason: TaskFailedError['reason'], message: string): Decision {
  return { kind: 'fail', error: new TaskFailedError(reason, message) };
}
