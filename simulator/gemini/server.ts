import type { IncomingMessage, ServerResponse } from 'node:http';
import { toErrorText } from '../provider-host/error-text.ts';
import { BodyTooLargeError, type Exchange, sendJson, sha256 } from '../provider-host/exchange.ts';
import { SimulatedClock } from './quota/clock.ts';
import { answerContent, answerCount, type Caller, type GeminiState } from './content-endpoint.ts';
import { ContentLog, type ContentRecord, type ContentTotals } from './content-log.ts';
import { answerGeminiControl, type GeminiConfig } from './control-endpoint.ts';
import { GeminiFaultPlan } from './faults/fault.ts';
import { GoogleError, invalidArgument, invalidKey, missingKey } from './api/google-error.ts';
import { ImplicitCache } from './implicit-cache.ts';
import { type LimitSettings, type ProjectCount, ProjectLimits } from './quota/project-limits.ts';
import { findServedGemini, toGeminiInfo, toGeminiPage } from './api/served-models.ts';
import { type Answer, startHttpHost } from '../provider-host/http-host.ts';

/** What can be given at the start is what can be changed later, and what cannot. */
export interface GeminiOptions extends Omit<GeminiConfig, 'clearLog' | 'clearCounts' | 'clock'> {
  /** Of faults with a probability. Default 1. */
  seed?: number;
  /** ms since the epoch; default the machine's. `configure({ clock })` can set it and let it run faster. */
  now?: () => number;
  /** Requests remembered. Default 10,000. */
  logLimit?: number;
}

/** What tests and benches read and steer. */
export interface GeminiControls {
  requests(): ContentRecord[];
  served(): ContentTotals;
  /** The provider's own count per project and model. */
  counts(): ProjectCount[];
  /** Changes what is given and leaves the rest. @throws ZodError for a fault that is none */
  configure(config: GeminiConfig): void;
}

/** A running simulator. All it knows is in memory: closing it forgets everything. */
export interface GeminiSimulator extends GeminiControls {
  /** For `GEMINI_BASE_URL`. */
  url: string;
  port: number;
  close(): Promise<void>;
}

/** The free tier as it was when the fleet was designed; see the provider's page for today's. */
const DEFAULT_LIMITS: LimitSettings = {
  all: { rpm: 15, tpm: 250_000, rpd: 1_500 },
  byProject: {},
  minute: 'sliding',
  windowMs: 60_000,
};

/** Starts a local HTTP server that speaks the Gemini API, `v1beta`. Nothing leaves the machine. */
export async function startGeminiSimulator(options: GeminiOptions & { port?: number } = {}): Promise<GeminiSimulator> {
  const { answer: serve, ...controls } = createGeminiProvider(options);
  return { ...controls, ...(await startHttpHost(serve, options.port)) };
}

/** Whether a path is the Gemini side's. */
export function isGeminiPath(path: string): boolean {
  return path.startsWith('/v1beta/') || path.startsWith('/__simulator/gemini/');
}

/** The provider without its server. */
export function createGeminiProvider(options: GeminiOptions = {}): GeminiControls & { answer: Answer } {
  const { seed = 1, now, logLimit = 10_000, ...initial } = options;
  const clock = new SimulatedClock(now);
  const tell = (): number => clock.now();
  let latencyMs = 50;
  const keys = { projects: {}, paid: [], accepted: null } as Keys;
  const limits = new ProjectLimits(DEFAULT_LIMITS, tell);
  const faults = new GeminiFaultPlan([], seed);
  const log = new ContentLog(logLimit);
  const state: GeminiState = { cache: new ImplicitCache(tell), faults, limits, log, latencyMs: () => latencyMs };
  const configure = (config: GeminiConfig): void => {
    if (config.faults !== undefined) faults.set(config.faults);
    if (config.latencyMs !== undefined) latencyMs = config.latencyMs;
    if (config.limits !== undefined) limits.set(dropUndefined(config.limits));
    if (config.projects !== undefined) keys.projects = config.projects;
    if (config.paidProjects !== undefined) keys.paid = config.paidProjects;
    if (config.acceptKeys !== undefined) keys.accepted = config.acceptKeys;
    if (config.clock !== undefined) clock.set(config.clock);
    if (config.clearLog === true) log.clear();
    if (config.clearCounts === true) limits.clear();
  };
  configure(initial);
  return {
    answer: (req, res, closing) => answer(req, res, { state, keys, configure, closing, now: tell }),
    requests: () => log.records(),
    served: () => log.served(),
    counts: () => limits.counts(),
    configure,
  };
}

interface Keys {
  projects: Record<string, string>;
  paid: string[];
  accepted: string[] | null;
}

interface Surroundings {
  state: GeminiState;
  keys: Keys;
  configure: (config: GeminiConfig) => void;
  closing: AbortSignal;
  now: () => number;
}

/** Answers one request; never rejects. */
async function answer(req: IncomingMessage, res: ServerResponse, surroundings: Surroundings): Promise<void> {
  const { state, keys, closing, now } = surroundings;
  const url = new URL(req.url ?? '/', 'http://simulator');
  const control = url.pathname.startsWith('/__simulator/');
  const record = (control ? new ContentLog(1) : state.log).open(`${req.method} ${url.pathname}`, now());
  const hungUp = new AbortController();
  res.on('close', () => {
    record.clientGone = !res.writableFinished && record.fault !== 'reset-before' && record.fault !== 'reset-after';
    record.finishedAt = now();
    hungUp.abort();
  });
  const gone = AbortSignal.any([hungUp.signal, closing]);
  const exchange: Exchange<ContentRecord> = { req, res, record, gone, headers: { 'x-simulated': '1' } };
  try {
    if (control && (await answerGeminiControl(exchange, url.pathname, state, surroundings.configure))) return;
    await route(exchange, url, state, keys);
  } catch (thrown) {
    if (res.headersSent || res.destroyed) return;
    const error = toGoogleError(thrown);
    sendJson(exchange, error.status, error.toBody());
  }
}

async function route(exchange: Exchange<ContentRecord>, url: URL, state: GeminiState, keys: Keys): Promise<void> {
  const { record, req } = exchange;
  const caller = { ...readKey(exchange, url, keys), model: '' };
  if (req.method === 'GET' && url.pathname === '/v1beta/models') return sendJson(exchange, 200, toGeminiPage());
  const path = /^\/v1beta\/models\/([^/:]+)(?::(\w+))?$/.exec(url.pathname);
  const model = decodeURIComponent(path?.[1] ?? '');
  record.model = model === '' ? null : model;
  const asked: Caller = { ...caller, model };
  switch (`${req.method} ${path?.[2] ?? ''}`) {
    case 'POST generateContent':
      return answerContent(exchange, state, asked, null);
    case 'POST streamGenerateContent':
      return answerContent(exchange, state, asked, url.searchParams.get('alt') === 'sse' ? 'sse' : 'array');
    case 'POST countTokens':
      return answerCount(exchange, asked);
    case 'GET ':
      return sendJson(exchange, 200, toGeminiInfo(findServedGemini(model)));
    default:
      throw new GoogleError(404, `Requested entity was not found: ${url.pathname}`);
  }
}

/** Keys come in the header both SDKs use, or in the address. @throws GoogleError */
function readKey({ req, record }: Exchange<ContentRecord>, url: URL, keys: Keys): Omit<Caller, 'model'> {
  const header = req.headers['x-goog-api-key'];
  const key = (typeof header === 'string' ? header : '') || (url.searchParams.get('key') ?? '');
  if (key === '') throw missingKey();
  record.keyHash = sha256(key).slice(0, 12);
  if (keys.accepted !== null && !keys.accepted.includes(key)) throw invalidKey();
  const project = keys.projects[key] ?? `project-of-${record.keyHash}`;
  record.project = project;
  return { project, tier: keys.paid.includes(project) ? 'paid' : 'free' };
}

function toGoogleError(thrown: unknown): GoogleError {
  if (thrown instanceof GoogleError) return thrown;
  if (thrown instanceof BodyTooLargeError) {
    return invalidArgument('Request payload size exceeds the limit: 20971520 bytes.');
  }
  return new GoogleError(500, `simulator: ${toErrorText(thrown)}`);
}

function dropUndefined<T extends object>(object: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]: Exclude<T[Key], undefined> };
}
