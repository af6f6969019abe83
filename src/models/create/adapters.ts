import type { ModelApi } from '../../config/model-rows/types.ts';
import type { CallLimits } from '../call-clock.ts';
import type { Model } from '../model.ts';

/** What each adapter is opened with: one key at one address. */
export interface AdapterOptions extends CallLimits {
  /** '' for a server that needs none. */
  apiKey: string;
  /** Undefined: the adapter's own. */
  baseUrl: string | undefined;
  /** As the rows name it: adapters know what some vendors want otherwise. */
  vendor: string;
}

/** Loads the code of an adapter: a process has only those that it uses. */
export const ADAPTERS: Record<ModelApi, () => Promise<(options: AdapterOptions) => Model>> = {
  anthropic: async () => (await import('../anthropic/adapter.ts')).createAnthropicModel,
  openai: async () => (await import('../openai/adapter.ts')).createOpenAiModel,
  gemini: async () => (await import('../gemini/adapter.ts')).createGeminiModel,
};
