import { createControl } from '../provider-host/control.ts';
import { type Answer, type HttpHost, startHttpHost } from '../provider-host/http-host.ts';
import { createAnswer } from '../provider-host/provider.ts';
import type { ServedTotals } from '../provider-host/request-log.ts';
import { type GeminiConfig, geminiConfigSchema } from './config.ts';
import type { GeminiState } from './content-endpoint.ts';
import { createContentLog, type ContentRecord } from './content-log.ts';
import { createGeminiFaultPlan } from './faults/fault.ts';
import { ImplicitCache } from './implicit-cache.ts';
import { SimulatedClock } from './quota/clock.ts';
import { type LimitSettings, type ProjectCount, ProjectLimits } from './quota/project-limits.ts';
import { SpendLimit } from './quota/spend-limit.ts';
import { type KeyRing, route, toErrorAnswer } from './routes.ts';
import { DEFAULT_GEMINI_RULES, GEMINI_RULES } from './rules/rules.ts';

/** A configuration at the start, and what cannot change later. */
export interface GeminiOptions extends Omit<GeminiConfig, 'clearLog' | 'clearCounts' | 'clock'> {
  /** Of faults with a probability. Default 1. */
  seed?: number;
  /** Ms since the epoch; default the machine's clock. `configure({ clock })` can set it and change its speed. */
  now?: () => number;
  /** Requests that the log keeps. Default 10,000. */
  logLimit?: number;
}

/** What tests and benches read and set. */
export interface GeminiControls {
  requests(): ContentRecord[];
  served(): ServedTotals;
  /** The provider's own count per project and model. */
  counts(): ProjectCount[];
  /** Changes the given fields and keeps the others. @throws ZodError for a fault that breaks the schema */
  configure(config: GeminiConfig): void;
}

/** A running simulator. `url` is for `GEMINI_BASE_URL`. Its state is in memory only and is lost when it closes. */
export interface GeminiSimulator extends GeminiControls, HttpHost {}

/** The free tier when the fleet was designed. The current one: https://ai.google.dev/gemini-api/docs/rate-limits */
const DEFAULT_LIMITS: LimitSettings = {
  all: { rpm: 15, tpm: 250_000, rpd: 1_500 },
  byProject: {},
  minute: 'sliding',
  windowMs: 60_000,
};

/** Starts a local HTTP server that answers as the Gemini API, `v1beta`. Nothing leaves the machine. */
export async function startGeminiSimulator(options: GeminiOptions & { port?: number } = {}): Promise<GeminiSimulator> {
  const { answer, ...controls } = createGeminiProvider(options);
  return { ...controls, ...(await startHttpHost(answer, options.port)) };
}

/** Whether a path belongs to the Gemini provider. */
export function isGeminiPath(path: string): boolean {
  return path.startsWith('/v1beta/') || path.startsWith('/__simulator/gemini/');
}

/** The provider without its server. */
export function createGeminiProvider(options: GeminiOptions = {}): GeminiControls & { answer: Answer } {
  const { seed = 1, now: base, logLimit = 10_000, ...initial } = options;
  const clock = new SimulatedClock(base);
  const now = (): number => clock.now();
  let latencyMs = 50;
  const keys: KeyRing = { projects: {}, paid: [], accepted: null };
  const limits = new ProjectLimits(DEFAULT_LIMITS, now);
  const spend = new SpendLimit(now);
  const faults = createGeminiFaultPlan([], seed);
  const log = createContentLog(logLimit);
  let rules = GEMINI_RULES[DEFAULT_GEMINI_RULES];
  const state: GeminiState = {
    rules: () => rules,
    cache: new ImplicitCache(now),
    faults,
    limits,
    spend,
    log,
    latencyMs: () => latencyMs,
  };
  const configure = (config: GeminiConfig): void => {
    if (config.rules !== undefined) rules = GEMINI_RULES[config.rules];
    if (config.faults !== undefined) faults.set(config.faults);
    if (config.latencyMs !== undefined) latencyMs = config.latencyMs;
    if (config.limits !== undefined) limits.set(dropUndefined(config.limits));
    if (config.spendUsd !== undefined) spend.set(config.spendUsd);
    if (config.projects !== undefined) keys.projects = config.projects;
    if (config.paidProjects !== undefined) keys.paid = config.paidProjects;
    if (config.acceptKeys !== undefined) keys.accepted = config.acceptKeys;
    if (config.clock !== undefined) clock.set(config.clock);
    if (config.clearLog === true) log.clear();
    if (config.clearCounts === true) {
      limits.clear();
      spend.clear();
    }
  };
  configure(initial);
  const reads = { requests: () => log.records(), served: () => log.totals(), counts: () => limits.counts() };
  const answer = createAnswer({
    log,
    now,
    toHeaders: () => ({ 'x-simulated': '1' }),
    control: createControl({ root: '/__simulator/gemini', reads, schema: geminiConfigSchema, configure }),
    route: (exchange, url) => route(exchange, url, state, keys),
    toErrorAnswer,
  });
  return { ...reads, configure, answer };
}

function dropUndefined<T extends object>(object: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]: Exclude<T[Key], undefined> };
}
