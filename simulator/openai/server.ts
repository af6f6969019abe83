import { createRuleModel } from '../model/rule-model/rule-model.ts';
import type { SimulatedModel } from '../model/types.ts';
import { createControl } from '../provider-host/control.ts';
import { type Answer, type HttpHost, startHttpHost } from '../provider-host/http-host.ts';
import { createAnswer } from '../provider-host/provider.ts';
import type { ChatState } from './chat-endpoint.ts';
import { type ChatConfig, chatConfigSchema } from './config.ts';
import { type ChatFault, createChatFaultPlan } from './faults/fault.ts';
import { ChatLimits, type ChatLimitsByModel } from './limits/chat-limits.ts';
import { PromptCache } from './prompt/prompt-cache.ts';
import { type ChatRecord, type ChatServed, createChatLog, toChatServed } from './request-log.ts';
import { route, toErrorAnswer } from './routes.ts';

export interface OpenAiOptions {
  /** Of faults with a probability. Default 1. */
  seed?: number;
  /** Default 50, also for a model that is not named. */
  latencyMs?: number | Record<string, number>;
  /** Limits of each key, by model, instead of those of the first paid tier. */
  limits?: ChatLimitsByModel;
  /** Default: any non-empty key. Local models need none. */
  acceptKey?: (key: string) => boolean;
  faults?: ChatFault[];
  /** Default: the rule model, which calls the tools it is offered. */
  model?: SimulatedModel;
  /** Requests that the log keeps. Default 10,000. */
  logLimit?: number;
}

/** What tests and benches read and set. */
export interface OpenAiControls {
  requests(): ChatRecord[];
  served(): ChatServed;
  /** Changes the given fields and keeps the others. @throws ZodError for a fault that breaks the schema */
  configure(config: ChatConfig): void;
}

/** A running simulator. `url` plus `/openai/v1` is an address of the API. Its state is in memory only and is lost when it closes. */
export interface OpenAiSimulator extends OpenAiControls, HttpHost {}

const PREFIX = '/openai';
const DEFAULT_LATENCY_MS = 50;

/** Starts a local HTTP server that answers as chat completions do. Nothing leaves the machine. */
export async function startOpenAiSimulator(options: OpenAiOptions & { port?: number } = {}): Promise<OpenAiSimulator> {
  const { answer, ...controls } = createOpenAiProvider(options);
  return { ...controls, ...(await startHttpHost(answer, options.port)) };
}

/** Whether a path belongs to this provider. */
export function isOpenAiPath(path: string): boolean {
  return path.startsWith(`${PREFIX}/`) || path.startsWith('/__simulator/openai/');
}

/** The provider without its server: OpenAI, DeepSeek, Mistral and a local server, told apart by the model that is asked. */
export function createOpenAiProvider(options: OpenAiOptions = {}): OpenAiControls & { answer: Answer } {
  const acceptAny = (key: string): boolean => key !== '';
  let acceptKey = options.acceptKey ?? acceptAny;
  let latency = options.latencyMs ?? DEFAULT_LATENCY_MS;
  const log = createChatLog(options.logLimit ?? 10_000);
  const state: ChatState = {
    model: options.model ?? createRuleModel(),
    cache: new PromptCache(),
    faults: createChatFaultPlan(options.faults ?? [], options.seed ?? 1),
    limits: new ChatLimits(options.limits ?? {}),
    log,
    latencyMs: (model) => (typeof latency === 'number' ? latency : (latency[model] ?? DEFAULT_LATENCY_MS)),
    now: Date.now,
  };
  const configure = (config: ChatConfig): void => {
    if (config.faults !== undefined) state.faults.set(config.faults);
    if (config.latencyMs !== undefined) latency = config.latencyMs;
    if (config.limits !== undefined) state.limits.set(config.limits);
    const { acceptKeys } = config;
    if (acceptKeys !== undefined) acceptKey = acceptKeys === null ? acceptAny : (key) => acceptKeys.includes(key);
    if (config.clearLog === true) log.clear();
  };
  const reads = { requests: () => log.records(), served: () => toChatServed(log) };
  const answer = createAnswer({
    log,
    now: Date.now,
    prefix: PREFIX,
    toHeaders: ({ requestId }) => ({ 'x-request-id': requestId, 'x-simulated': '1' }),
    control: createControl({ root: '/__simulator/openai', reads, schema: chatConfigSchema, configure }),
    route: (exchange, url) => route(exchange, url, state, (key) => acceptKey(key)),
    toErrorAnswer,
  });
  return { ...reads, configure, answer };
}
