/** The API that a model is called by. */
export type ModelApi = 'anthropic' | 'openai' | 'gemini';

/** Nano-dollars a token, whole numbers. One dollar a million tokens is 1,000. */
interface TokenPrices {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export interface ModelPrice extends TokenPrices {
  /** A prompt above `tokens` costs `factor` times the prices, or other ones, for the whole request. None is below the usual one. */
  step: { tokens: number; factor: number } | { tokens: number; prices: TokenPrices } | null;
}

/** What a model can do. A task that needs more goes to another one. */
export interface ModelAbilities {
  tools: boolean;
  /** Replies that the provider holds to a JSON schema. Without it the fleet asks for JSON in the text. */
  schema: boolean;
  thinking: boolean;
  images: boolean;
}

type Ability = keyof ModelAbilities;

/** What a provider allows of a model: requests, prompt tokens and reply tokens a minute, calls at once. */
export interface ModelRateLimits {
  rpm?: number;
  itpm?: number;
  otpm?: number;
  concurrent?: number;
}

/** One row of `models.json`, its defaults filled in. */
export interface ModelRow {
  id: string;
  vendor: string;
  api: ModelApi;
  /** The provider's name for it. */
  model: string;
  /** Null: the vendor's own address. */
  baseUrl: string | null;
  /** The variable that holds its key. Null: the vendor's own variable; of a free local model: no key is needed. */
  keyEnv: string | null;
  /** The whole context window, prompt and output. */
  contextTokens: number;
  maxOutputTokens: number;
  /** `free-local`: the model runs on a machine of the operator and costs nothing a token. */
  price: ModelPrice | 'free-local';
  limits: ModelRateLimits;
  abilities: ModelAbilities;
  /** First UTC day of this row, `YYYY-MM-DD`. */
  since: string;
}

/** One row of `routes`: which models may do which tasks, in this order. What is absent matches every task. */
export interface RouteRow {
  kind?: string[];
  minPromptTokens?: number;
  needs?: Ability[];
  budget?: 'cheap';
  use: string[];
}
