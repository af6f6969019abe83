import { AMPLE_CHAT_LIMITS } from '../../../simulator/openai/limits/chat-limits.ts';
import type { LoggedRequest, ServedTotals } from '../../../simulator/provider-host/request-log.ts';
import { type Simulator, startSimulator } from '../../../simulator/simulator.ts';
import type { ModelRow } from '../../../src/config/model-rows/types.ts';

/** How a call can go wrong, whatever the API. */
export type FaultName =
  | 'wrong-key'
  | 'forbidden'
  | 'no-money'
  | 'rate-limit'
  | 'bad-request'
  | 'too-long'
  | 'server-error'
  | 'overloaded'
  | 'refusal'
  | 'cut-off';

/** One API as one vendor serves it, with its strict simulator. A new vendor is one entry of `DIALECTS`. */
export interface Dialect {
  /** Shown in the names of tests. */
  name: string;
  /** Id of a model that the simulator serves: a built-in one, or that of `row`. */
  model: string;
  /** The row of a model that is not built in. */
  row?: ModelRow;
  /** Variable of its key. */
  keyEnv: string;
  /** Where the API is, after the simulator's address. */
  path: string;
  /** What a worker's environment has besides, so that it calls the providers at this address. */
  env(url: string): Record<string, string>;
  /** The simulator's kind of each fault. Null: the API has no such answer. */
  faults: Record<FaultName, string | null>;
  /** What the simulator of this API saw and billed, and how it fails. */
  control(simulator: Simulator): DialectControl;
}

export interface DialectControl {
  served(): ServedTotals;
  requests(): LoggedRequest[];
  /** Each request with what it is a call of: one turn of one task. */
  calls(): { call: string; served: boolean; billNanoUsd: number }[];
  /** @param kinds of the simulator's faults; each hits every request */
  setFaults(kinds: string[]): void;
}

/** Starts all providers at one address, without limits that a test would meet. */
export function startProviders(latencyMs = 0): Promise<Simulator> {
  const limits = { all: { rpm: 100_000, tpm: 1_000_000_000, rpd: 1_000_000 } };
  const project = { projects: { 'local-test-key': 'paid' }, paidProjects: ['paid'] };
  return startSimulator({
    anthropic: { latencyMs, rules: 'real', limits: AMPLE },
    gemini: { latencyMs, limits, ...project },
    openai: { latencyMs, limits: AMPLE_CHAT_LIMITS },
  });
}

const AMPLE = Object.fromEntries(
  ['claude-haiku-5-5', 'claude-sonnet-5-5', 'deepseek-flash'].map((id) => [
    id,
    { requests: 1_000_000, inputTokens: 1_000_000_000, outputTokens: 1_000_000_000 },
  ]),
);

const ofAnthropic: Pick<Dialect, 'faults' | 'control'> = {
  faults: {
    'wrong-key': 'authentication',
    forbidden: 'permission',
    'no-money': 'billing',
    'rate-limit': 'rate-limit',
    'bad-request': 'invalid-request',
    'too-long': 'prompt-too-long',
    'server-error': 'server-error',
    overloaded: 'overloaded',
    refusal: 'refusal',
    'cut-off': 'cut-off',
  },
  control: ({ anthropic }) => ({
    served: () => anthropic.served(),
    requests: () => anthropic.requests(),
    calls: () => anthropic.requests().map(({ user, turn, ...rest }) => ({ ...rest, call: `${user} ${turn}` })),
    setFaults: (kinds) =>
      anthropic.setFaults(kinds.map((kind) => ({ kind }) as Parameters<typeof anthropic.setFaults>[0][0])),
  }),
};

const ofChat: Pick<Dialect, 'path' | 'env' | 'faults' | 'control'> = {
  path: '/openai/v1',
  env: () => ({}), // their rows name the address
  faults: {
    'wrong-key': 'authentication',
    forbidden: 'permission',
    'no-money': 'quota',
    'rate-limit': 'rate-limit',
    'bad-request': 'invalid-request',
    'too-long': 'too-long',
    'server-error': 'server-error',
    overloaded: 'overloaded',
    refusal: 'refusal',
    'cut-off': 'cut-off',
  },
  control: ({ openai }) => ({
    served: () => openai.served(),
    requests: () => openai.requests(),
    calls: () => openai.requests().map(({ taskHash, turn, ...rest }) => ({ ...rest, call: `${taskHash} ${turn}` })),
    setFaults: (kinds) =>
      openai.configure({ faults: kinds.map((kind) => ({ kind })) as Parameters<typeof openai.configure>[0]['faults'] }),
  }),
};

/** A row of `models.json`, its prices in nano-dollars a token. */
function toRow(
  row: Pick<ModelRow, 'id' | 'vendor'> & Partial<ModelRow>,
  price: readonly [input: number, output: number, cacheRead: number, cacheWrite: number] | 'free-local',
): ModelRow {
  const [input, output, cacheRead, cacheWrite] = price === 'free-local' ? [0, 0, 0, 0] : price;
  return {
    api: 'openai',
    model: row.id,
    baseUrl: null,
    keyEnv: null,
    contextTokens: 256_000,
    maxOutputTokens: 32_000,
    price: price === 'free-local' ? price : { input, output, cacheRead, cacheWrite, step: null },
    limits: {},
    abilities: { tools: true, schema: true, thinking: true, images: false },
    since: '2026-11-01',
    ...row,
  };
}

export const DIALECTS: readonly Dialect[] = [
  { name: 'Claude', model: 'claude-haiku-5-5', keyEnv: 'ANTHROPIC_API_KEY', path: '', env: () => ({}), ...ofAnthropic },
  {
    name: "DeepSeek behind Anthropic's API",
    model: 'deepseek-flash',
    keyEnv: 'DEEPSEEK_API_KEY',
    path: '/anthropic',
    env: (url) => ({ DEEPSEEK_BASE_URL: `${url}/anthropic` }),
    ...ofAnthropic,
  },
  {
    name: 'Gemini',
    model: 'gemini-3.5-flash-lite',
    keyEnv: 'GEMINI_API_KEY',
    path: '',
    env: (url) => ({
      GEMINI_BASE_URL: url,
      GEMINI_API_KEY: 'local-test-key',
      GEMINI_TIER: 'paid',
      GEMINI_RPM: '100000',
      GEMINI_TPM: '1000000000',
      GEMINI_RPD: '1000000',
    }),
    faults: {
      'wrong-key': 'invalid-key',
      forbidden: 'permission',
      'no-money': 'no-credits',
      'rate-limit': 'minute-limit',
      'bad-request': 'invalid-request',
      'too-long': null, // only a prompt that is too long gets this answer
      'server-error': 'server-error',
      overloaded: 'overloaded',
      refusal: 'safety',
      'cut-off': 'max-tokens',
    },
    control: ({ gemini }) => ({
      served: () => gemini.served(),
      requests: () => gemini.requests(),
      calls: () => gemini.requests().map(({ taskHash, turn, ...rest }) => ({ ...rest, call: `${taskHash} ${turn}` })),
      setFaults: (kinds) =>
        gemini.configure({
          faults: kinds.map((kind) => ({ kind })) as Parameters<typeof gemini.configure>[0]['faults'],
        }),
    }),
  },
  {
    name: 'GPT',
    model: 'gpt-5.6-luna',
    row: toRow({ id: 'gpt-5.6-luna', vendor: 'openai' }, [200, 1_200, 20, 250]),
    keyEnv: 'OPENAI_API_KEY',
    ...ofChat,
  },
  {
    name: 'DeepSeek behind chat completions',
    model: 'deepseek-chat',
    row: toRow(
      {
        id: 'deepseek-chat',
        vendor: 'deepseek',
        model: 'deepseek-flash',
        abilities: { tools: true, schema: false, thinking: true, images: false },
      },
      [150, 600, 3, 150],
    ),
    keyEnv: 'DEEPSEEK_API_KEY',
    ...ofChat,
    faults: { ...ofChat.faults, 'no-money': 'balance' },
  },
  {
    name: 'Mistral',
    model: 'mistral-small-2603',
    row: toRow({ id: 'mistral-small-2603', vendor: 'mistral' }, [150, 600, 15, 150]),
    keyEnv: 'MISTRAL_API_KEY',
    ...ofChat,
  },
  {
    name: 'a server on this machine',
    model: 'qwen',
    row: toRow({ id: 'qwen', vendor: 'ollama', model: 'qwen3:8b', contextTokens: 40_960 }, 'free-local'),
    keyEnv: 'NO_KEY_IS_NEEDED',
    ...ofChat,
  },
];
