import type { ServedGemini } from '../api/served-models.ts';

/** `generationConfig.thinkingConfig`. Null: the model's own default. */
export interface ThinkingConfig {
  level: string | null;
  /** Tokens; 0 switches thinking off, -1 leaves the amount to the model. */
  budget: number | null;
}

const LEAST = 50; // tokens at level medium
const MOST = 800;
const FACTORS: Record<string, number> = { minimal: 0.25, low: 0.5, medium: 1, high: 2 };

/**
 * Tokens of the thinking before a reply, which count into `maxOutputTokens` and are billed as output: the same for the same
 * prompt. Gemini 3 models always think, Flash-Lite at level `minimal` by default; 2.5 Flash-Lite only where the request gives
 * it a budget. https://ai.google.dev/gemini-api/docs/thinking and
 * https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/gemini/3-5-flash-lite
 */
export function toThoughtTokens(model: ServedGemini, { level, budget }: ThinkingConfig, hash: string): number {
  const most = budget === null || budget < 0 ? Infinity : budget;
  if (!model.alwaysThinks && (budget === null || budget === 0)) return 0;
  const factor = FACTORS[level?.toLowerCase() ?? 'minimal'] ?? 1;
  const drawn = LEAST + (Number.parseInt(hash.slice(0, 8), 16) % (MOST - LEAST + 1));
  return Math.min(most, Math.ceil(drawn * factor));
}
