import { createRuleModel } from '../model/rule-model/rule-model.ts';
import type { SimulatedModel } from '../model/types.ts';
import { createControl } from '../provider-host/control.ts';
import { type Answer, type HttpHost, startHttpHost } from '../provider-host/http-host.ts';
import { createAnswer } from '../provider-host/provider.ts';
import { DEFAULT_RULES, type Rules } from './api/rules.ts';
import type { InferenceGeo } from './api/served-model.ts';
import { configSchema, type Latency, type SimulatorConfig } from './config.ts';
import { createFaultPlan, type Fault } from './faults/fault.ts';
import { MinuteLimits } from './limits/minute-limits.ts';
import { TokenLimits, type TokenLimitsByModel } from './limits/token-limits.ts';
import type { ProviderState } from './messages-endpoint.ts';
import { PrefixCache } from './prompt/prefix-cache.ts';
import { createRequestLog, type RequestRecord, type Served, toServed } from './request-log.ts';
import { route, toErrorAnswer } from './routes.ts';
import { BoundThinking } from './thinking/bound-thinking.ts';

export interface SimulatorOptions {
  /** How strict the provider is. Default `real`. */
  rules?: Rules;
  /** Default 0: a free one. */
  port?: number;
  host?: '127.0.0.1';
  /** Of faults with a probability. Default 1. */
  seed?: number;
  /** Default 50, also for a model that is not named. */
  latencyMs?: Latency;
  /** Model → requests in any 60 s. An absent model has no limit. */
  requestsPerMinute?: Record<string, number>;
  /** Length of that minute in ms; shorter only in tests. */
  limitWindowMs?: number;
  /** Limits of each key, by model, instead of those of the rules: under `real` the Start tier's, under `lenient` none. */
  limits?: TokenLimitsByModel;
  /** Where replies say that they were made; `us` costs a tenth more. Default: `global` under `real`, unsaid under `lenient`. */
  inferenceGeo?: InferenceGeo | null;
  /** Default: any non-empty key. */
  acceptKey?: (key: string) => boolean;
  faults?: Fault[];
  /** Default: the rule model, which calls the tools it is offered. */
  model?: SimulatedModel;
  /** Requests that the log keeps. Default 10,000. */
  logLimit?: number;
}

/** What tests and benches read and set. */
export interface AnthropicControls {
  requests(): RequestRecord[];
  served(): Served;
  setFaults(faults: readonly Fault[]): void;
  setLatency(latencyMs: Latency): void;
  setLimits(requestsPerMinute: Record<string, number>): void;
  setTokenLimits(limits: TokenLimitsByModel): void;
  setAcceptKey(acceptKey: (key: string) => boolean): void;
  clearLog(): void;
}

/** A running simulator. `url` is for `ANTHROPIC_BASE_URL`. Its state is in memory only and is lost when it closes. */
export interface AnthropicSimulator extends AnthropicControls, HttpHost {}

const DEFAULT_LATENCY_MS = 50;
const acceptAny = (key: string): boolean => key !== '';

/** Starts a local HTTP server that answers as the Anthropic Messages API of version 2026-10-21. Nothing leaves the machine. */
export async function startAnthropicSimulator(options: SimulatorOptions = {}): Promise<AnthropicSimulator> {
  const { answer, ...controls } = createAnthropicProvider(options);
  return { ...controls, ...(await startHttpHost(answer, options.port, options.host)) };
}

/** The provider without its server. Paths may begin with `/anthropic`, as DeepSeek's do. */
export function createAnthropicProvider(
  options: Omit<SimulatorOptions, 'port' | 'host'> = {},
): AnthropicControls & { answer: Answer } {
  let latency = options.latencyMs ?? DEFAULT_LATENCY_MS;
  let acceptKey = options.acceptKey ?? acceptAny;
  const rules = options.rules ?? DEFAULT_RULES;
  let geo = options.inferenceGeo === undefined ? toGeo(rules) : options.inferenceGeo;
  const state: ProviderState = {
    rules,
    model: options.model ?? createRuleModel(),
    cache: new PrefixCache(),
    thinking: new BoundThinking(),
    faults: createFaultPlan(options.faults ?? [], options.seed ?? 1),
    limits: new MinuteLimits(options.requestsPerMinute ?? {}, options.limitWindowMs),
    tokenLimits: new TokenLimits(rules, options.limits ?? {}),
    log: createRequestLog(options.logLimit ?? 10_000),
    geo: () => geo,
    latencyMs: (model) => (typeof latency === 'number' ? latency : (latency[model] ?? DEFAULT_LATENCY_MS)),
  };
  const configure = (config: SimulatorConfig): void => {
    if (config.faults !== undefined) state.faults.set(config.faults);
    if (config.latencyMs !== undefined) latency = config.latencyMs;
    if (config.requestsPerMinute !== undefined) state.limits.set(config.requestsPerMinute);
    if (config.limits !== undefined) state.tokenLimits.set(config.limits);
    if (config.inferenceGeo !== undefined) geo = config.inferenceGeo;
    const { acceptKeys } = config;
    if (acceptKeys !== undefined) acceptKey = acceptKeys === null ? acceptAny : (key) => acceptKeys.includes(key);
    if (config.clearLog === true) state.log.clear();
  };
  return {
    answer: toAnswer(state, configure, (key) => acceptKey(key)),
    requests: () => state.log.records(),
    served: () => toServed(state.log),
    setFaults: (faults) => state.faults.set(faults),
    setLatency: (latencyMs) => configure({ latencyMs }),
    setLimits: (requestsPerMinute) => configure({ requestsPerMinute }),
    setTokenLimits: (limits) => configure({ limits }),
    setAcceptKey: (accept) => {
      acceptKey = accept;
    },
    clearLog: () => state.log.clear(),
  };
}

function toGeo(rules: Rules): InferenceGeo | null {
  return rules === 'real' ? 'global' : null;
}

function toAnswer(
  state: ProviderState,
  configure: (config: SimulatorConfig) => void,
  acceptKey: (key: string) => boolean,
): Answer {
  const { log } = state;
  return createAnswer({
    log,
    now: Date.now,
    prefix: '/anthropic',
    toHeaders: ({ requestId }) => ({ 'request-id': requestId, 'x-simulated': '1' }),
    control: createControl({
      root: '/__simulator',
      reads: {
        requests: (query) => {
          const user = query.get('user');
          return user === null ? log.records() : log.records().filter((record) => record.user === user);
        },
        served: () => toServed(log),
      },
      schema: configSchema,
      configure,
    }),
    route: (exchange, url) => route(exchange, url, state, acceptKey),
    toErrorAnswer,
  });
}
