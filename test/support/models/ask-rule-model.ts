import { createRuleModel } from '../../../simulator/model/rule-model/rule-model.ts';
import type { MessagesRequest, ModelReply } from '../../../simulator/model/types.ts';

const CHARACTERS_PER_TOKEN = 4;
const ruleModel = createRuleModel();

/** Asks the simulated model without a provider around it. The reply may fill all of `max_tokens`. */
export function askRuleModel(request: MessagesRequest): ModelReply {
  const characters = request.max_tokens * CHARACTERS_PER_TOKEN;
  return ruleModel.reply(request, { characters, charactersPerToken: CHARACTERS_PER_TOKEN });
}
