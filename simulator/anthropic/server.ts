import type { IncomingMessage, ServerResponse } from 'node:http';
import { toErrorText } from '../provider-host/error-text.ts';
import { ApiError, invalidRequest } from './api/api-error.ts';
import type { SimulatedModel } from '../model/types.ts';
import { createRuleModel } from '../model/rule-model/rule-model.ts';
import { answerControl, type SimulatorConfig } from './control-endpoint.ts';
import { BodyTooLargeError, type Exchange, sendJson, sha256 } from '../provider-host/exchange.ts';
import { type Fault, FaultPlan } from './faults/fault.ts';
import { type Answer, startHttpHost } from '../provider-host/http-host.ts';
import { answerCountTokens, answerMessages, type ProviderState } from './messages-endpoint.ts';
import { MinuteLimits } from './limits/minute-limits.ts';
import { PrefixCache } from './prompt/prefix-cache.ts';
import { RequestLog, type RequestRecord, type Served } from './request-log.ts';
import { findServedModel, toModelInfo, toModelPage } from './api/served-model.ts';

/** One number for every model, or one per model; a model without one takes the default of 50 ms. */
type Latency = number | Record<string, number>;

export interface SimulatorOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  host?: '127.0.0.1';
  /** Of faults with a probability. Default 1. */
  seed?: number;
  latencyMs?: Latency;
  /** Model → requests in any 60 s; absent: no limit. */
  requestsPerMinute?: Record<string, number>;
  /** The length of that minute in ms; shorter only in tests. */
  limitWindowMs?: number;
  /** Default: any non-empty key. */
  acceptKey?: (key: string) => boolean;
  faults?: Fault[];
  /** Default: the rule-based one, which uses the tools it is offered. */
  model?: SimulatedModel;
  /** Requests remembered. Default 10,000. */
  logLimit?: number;
}

/** What tests and benches read and steer. */
export interface AnthropicControls {
  requests(): RequestRecord[];
  served(): Served;
  setFaults(faults: readonly Fault[]): void;
  setLatency(latencyMs: Latency): void;
  setLimits(requestsPerMinute: Record<string, number>): void;
  setAcceptKey(acceptKey: (key: string) => boolean): void;
  clearLog(): void;
}

/** A running simulator. All it knows is in memory: closing it forgets everything. */
export interface AnthropicSimulator extends AnthropicControls {
  /** For `ANTHROPIC_BASE_URL`. */
  url: string;
  port: number;
  /** Hangs up on every client and frees the port. */
  close(): Promise<void>;
}

const DEFAULT_LATENCY_MS = 50;
const acceptAny = (key: string): boolean => key !== '';

/** Starts a local HTTP server that speaks the Anthropic Messages API as version 2026-10-21 does. Nothing leaves the machine. */
export async function startAnthropicSimulator(options: SimulatorOptions = {}): Promise<AnthropicSimulator> {
  const { answer: serve, ...controls } = createAnthropicProvider(options);
  return { ...controls, ...(await startHttpHost(serve, options.port, options.host)) };
}

/** The provider without its server. Paths may begin with `/anthropic`, as DeepSeek's do. */
export function createAnthropicProvider(options: Omit<SimulatorOptions, 'port' | 'host'> = {}): AnthropicControls & {
  answer: Answer;
} {
  let latency = options.latencyMs ?? DEFAULT_LATENCY_MS;
  let acceptKey = options.acceptKey ?? acceptAny;
  const state: ProviderState = {
    model: options.model ?? createRuleModel(),
    cache: new PrefixCache(),
    faults: new FaultPlan(options.faults ?? [], options.seed ?? 1),
    limits: new MinuteLimits(options.requestsPerMinute ?? {}, options.limitWindowMs),
    log: new RequestLog(options.logLimit ?? 10_000),
    latencyMs: (model) => (typeof latency === 'number' ? latency : (latency[model] ?? DEFAULT_LATENCY_MS)),
  };
  const configure = (config: SimulatorConfig): void => {
    if (config.faults !== undefined) state.faults.set(config.faults);
    if (config.latencyMs !== undefined) latency = config.latencyMs;
    if (config.requestsPerMinute !== undefined) state.limits.set(config.requestsPerMinute);
    const { acceptKeys } = config;
    if (acceptKeys !== undefined) acceptKey = acceptKeys === null ? acceptAny : (key) => acceptKeys.includes(key);
    if (config.clearLog === true) state.log.clear();
  };
  return {
    answer: (req, res, closing) => answer(req, res, state, { closing, acceptKey: (key) => acceptKey(key), configure }),
    requests: () => state.log.records(),
    served: () => state.log.served(),
    setFaults: (faults) => state.faults.set(faults),
    setLatency: (latencyMs) => configure({ latencyMs }),
    setLimits: (requestsPerMinute) => configure({ requestsPerMinute }),
    setAcceptKey: (accept) => {
      acceptKey = accept;
    },
    clearLog: () => state.log.clear(),
  };
}

interface Surroundings {
  closing: AbortSignal;
  acceptKey: (key: string) => boolean;
  configure: (config: SimulatorConfig) => void;
}

/** Answers one request; never rejects. */
async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  state: ProviderState,
  surroundings: Surroundings,
): Promise<void> {
  const url = new URL((req.url ?? '/').replace(/^\/anthropic\//, '/'), 'http://simulator');
  const control = url.pathname.startsWith('/__simulator/');
  const log = control ? new RequestLog(1) : state.log;
  const record = log.open(`${req.method} ${url.pathname}`, Date.now());
  const hungUp = new AbortController();
  res.on('close', () => {
    record.clientGone = !res.writableFinished && record.fault !== 'reset-before' && record.fault !== 'reset-after';
    record.finishedAt = Date.now();
    hungUp.abort();
  });
  const exchange: Exchange<RequestRecord> = {
    req,
    res,
    record,
    gone: AbortSignal.any([hungUp.signal, surroundings.closing]),
    headers: { 'request-id': record.requestId, 'x-simulated': '1' },
  };
  try {
    if (control && (await answerControl(exchange, url, state.log, surroundings.configure))) return;
    await route(exchange, url, state, surroundings.acceptKey);
  } catch (thrown) {
    if (res.headersSent || res.destroyed) return;
    const error = toApiError(thrown);
    sendJson(exchange, error.status, error.toBody(record.requestId), error.options.headers);
  }
}

function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof BodyTooLargeError) {
    return new ApiError(413, 'request_too_large', 'Request exceeds the maximum allowed number of bytes.');
  }
  return new ApiError(500, 'api_error', `simulator: ${toErrorText(thrown)}`);
}

async function route(
  exchange: Exchange<RequestRecord>,
  url: URL,
  state: ProviderState,
  acceptKey: (key: string) => boolean,
): Promise<void> {
  checkHeaders(exchange, acceptKey);
  switch (exchange.record.endpoint) {
    case 'POST /v1/messages':
      return answerMessages(exchange, state);
    case 'POST /v1/messages/count_tokens':
      return answerCountTokens(exchange);
    case 'GET /v1/models':
      return sendJson(exchange, 200, toModelPage());
    default: {
      const model = /^GET \/v1\/models\/([^/]+)$/.exec(exchange.record.endpoint)?.[1];
      if (model === undefined) throw new ApiError(404, 'not_found_error', `Not found: ${url.pathname}`);
      return sendJson(exchange, 200, toModelInfo(findServedModel(decodeURIComponent(model))));
    }
  }
}

function checkHeaders({ req, record }: Exchange<RequestRecord>, acceptKey: (key: string) => boolean): void {
  const bearer = /^Bearer\s+(.+)$/i.exec(req.headers.authorization ?? '')?.[1];
  const given = req.headers['x-api-key'] ?? bearer;
  if (typeof given !== 'string' || given === '') {
    throw new ApiError(401, 'authentication_error', 'x-api-key header or Authorization: Bearer is required');
  }
  record.keyHash = sha256(given).slice(0, 12);
  if (!acceptKey(given)) throw new ApiError(401, 'authentication_error', 'invalid x-api-key');
  if (req.headers['anthropic-version'] === undefined) throw invalidRequest('anthropic-version: header is required');
}
