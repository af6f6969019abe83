import type { ModelApi } from './types.ts';

/** What is known of a vendor whose models need no more than a row. */
interface Vendor {
  /** The variable of its key; null: its servers need none. */
  keyEnv: string | null;
  /** Its address by each API that it is called by; null: the adapter's own, or a variable's. */
  addresses: Partial<Record<ModelApi, string | null>>;
}

/**
 * The vendors by the name that rows give them: the only list of them. A row of any other vendor names its address (`base_url`) and its
 * key (`key_env`). Addresses: https://api-docs.deepseek.com, https://docs.mistral.ai/api, https://openrouter.ai/docs/quickstart,
 * https://docs.ollama.com/api/openai-compatibility, https://lmstudio.ai/docs/developer/openai-compat,
 * https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html.
 */
const VENDORS: Record<string, Vendor> = {
  anthropic: { keyEnv: 'ANTHROPIC_API_KEY', addresses: { anthropic: null } },
  openai: { keyEnv: 'OPENAI_API_KEY', addresses: { openai: 'https://api.openai.com/v1' } },
  google: { keyEnv: 'GEMINI_API_KEY', addresses: { gemini: null } },
  deepseek: {
    keyEnv: 'DEEPSEEK_API_KEY',
    addresses: { anthropic: 'https://api.deepseek.com/anthropic', openai: 'https://api.deepseek.com' },
  },
  mistral: { keyEnv: 'MISTRAL_API_KEY', addresses: { openai: 'https://api.mistral.ai/v1' } },
  openrouter: { keyEnv: 'OPENROUTER_API_KEY', addresses: { openai: 'https://openrouter.ai/api/v1' } },
  ollama: { keyEnv: null, addresses: { openai: 'http://127.0.0.1:11434/v1' } },
  lmstudio: { keyEnv: null, addresses: { openai: 'http://127.0.0.1:1234/v1' } },
  vllm: { keyEnv: null, addresses: { openai: 'http://127.0.0.1:8000/v1' } },
};

export function findVendor(name: string): Vendor | undefined {
  return Object.hasOwn(VENDORS, name) ? VENDORS[name] : undefined;
}

export function listVendors(): string[] {
  return Object.keys(VENDORS);
}

/** The variables of all their keys. */
export function listVendorKeys(): string[] {
  return Object.values(VENDORS).flatMap(({ keyEnv }) => keyEnv ?? []);
}
