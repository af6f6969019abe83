import { type GoogleError, invalidArgument } from '../api/google-error.ts';
import type { ServedGemini } from '../api/served-models.ts';
import type { ThinkingConfig } from '../rules/thinking.ts';

/** What of a request a model may not take. */
export interface AskedOfModel {
  thinking: ThinkingConfig;
  hasFunctions: boolean;
  wantsJson: boolean;
}

/** Tokens that a thinking budget may have beside 0 (off) and -1 (the model decides). https://ai.google.dev/gemini-api/docs/thinking */
const LEAST_BUDGET = 512;
const MOST_BUDGET = 24_576;

/**
 * What depends on the model. Only Gemini 3 models call functions and keep to a schema in one request:
 * https://ai.google.dev/gemini-api/docs/structured-output; the words of the others: https://github.com/googleapis/python-genai/issues/867.
 * A level is refused by models of a budget (https://github.com/QwenLM/qwen-code/pull/9094), and both at once by all.
 * @throws GoogleError 400
 */
export function checkModelRules({ thinking, hasFunctions, wantsJson }: AskedOfModel, served: ServedGemini): void {
  if (hasFunctions && wantsJson && !served.alwaysThinks) {
    throw invalidArgument("Function calling with a response mime type: 'application/json' is unsupported");
  }
  const { level, budget } = thinking;
  if (level !== null && budget !== null) {
    throw invalidArgument('You can only set only one of thinking budget and thinking level.');
  }
  if (level !== null && !served.levels.includes(level.toLowerCase())) throw toUnknownLevel(level, served);
  if (budget === null || budget === -1 || budget === 0 || served.alwaysThinks) return;
  if (budget >= LEAST_BUDGET && budget <= MOST_BUDGET) return;
  throw invalidArgument(
    `The thinking budget ${budget} is invalid. Please choose a value between ${LEAST_BUDGET} and ${MOST_BUDGET}.`,
  );
}

function toUnknownLevel(level: string, { levels }: ServedGemini): GoogleError {
  return invalidArgument(
    levels.length === 0
      ? 'Thinking level is not supported for this model.'
      : `Thinking level ${level.toUpperCase()} is not supported for this model. Please retry with other thinking level.`,
  );
}
