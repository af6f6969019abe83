import { answerQuestion } from '../../model/archive/answer.ts';
import { parsePlanningPrompt } from '../../model/planning/planning-prompt.ts';
import { createRuleModel } from '../../model/rule-model/rule-model.ts';
import { fillSchema } from '../../model/schema-fill.ts';
import { isObject } from '../../provider-host/json.ts';
import { CHARACTERS_PER_TOKEN } from '../../provider-host/tokens.ts';
import type { FunctionCall } from '../rules/thought-signature.ts';
import type { ContentRequest } from '../validate/content-request.ts';
import { toMessagesRequest, toParameters } from './task-conversation.ts';

/** What the simulated model says, before limits and faults. */
export interface Said {
  text: string;
  calls: FunctionCall[];
  /** What a marker of the prompt asks for: the reply is refused, empty or cut. */
  spoilt: 'blocked' | 'empty-text' | 'max-tokens' | null;
  /** Null: the simulator's latency. */
  latencyMs: number | null;
}

const ruleModel = createRuleModel();

/**
 * Lets the simulated model answer. The rules work the fleet's tasks and plan its missions, whatever API they come by. Any other
 * prompt gets the archive's answer, or the call of the first function that it may call.
 * @param room tokens that the reply may have
 */
export function say(request: ContentRequest, model: string, room: number): Said {
  const asked = toMessagesRequest(request, model, room);
  const characters = { characters: room * CHARACTERS_PER_TOKEN, charactersPerToken: CHARACTERS_PER_TOKEN };
  if (!/<task[\s>]/.test(request.prompt) && parsePlanningPrompt(asked, characters) === null) return sayPlainly(request);
  const { content, refusal, latencyMs = null } = ruleModel.reply(asked, characters);
  const calls = content.flatMap((block) =>
    block.type === 'tool_use' ? [{ name: block.name, args: block.input }] : [],
  );
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return { text: texts.join('\n'), calls, spoilt: refusal === undefined ? null : 'blocked', latencyMs };
}

function sayPlainly(request: ContentRequest): Said {
  const { text, markers } = answerQuestion(request.prompt, request.wantsJson, request.schema);
  const call = toFirstCall(request);
  const spoilt =
    markers?.blocked === true
      ? ('blocked' as const)
      : markers?.cut === true
        ? ('max-tokens' as const)
        : markers?.empty === true
          ? ('empty-text' as const)
          : null;
  return {
    text: call === null ? text : '',
    calls: call === null ? [] : [call],
    spoilt,
    latencyMs: markers?.latencyMs ?? null,
  };
}

/** The first function that it may call, with the smallest input that fits; null where it has a function's answer. */
function toFirstCall({ offered: [first], contents }: ContentRequest): FunctionCall | null {
  const isAnswered = contents.at(-1)?.parts.some((part) => part.functionResponse !== undefined) === true;
  if (first === undefined || isAnswered) return null;
  const args = fillSchema(toParameters(first), {});
  return { name: first.name, args: isObject(args) ? args : {} };
}
