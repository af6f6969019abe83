import type { Usage } from '../../queues/usage.ts';
import { type ArchiveAnswer, answerQuestion } from '../model/archive/answer.ts';
import { parseArchivePrompt } from '../model/archive/archive-prompt.ts';
import { deliver, intercept } from '../provider-host/deliver.ts';
import { toErrorText } from '../provider-host/error-text.ts';
import { type Exchange, readBody, send, sendJson, untilGone, wait } from '../provider-host/exchange.ts';
import { sha256 } from '../provider-host/hash.ts';
import { parseJson } from '../provider-host/json.ts';
import { estimateTokens } from '../provider-host/tokens.ts';
import { invalidArgument } from './api/google-error.ts';
import { billGeminiNanoUsd, findServedGemini, type ServedGemini } from './api/served-models.ts';
import type { ContentLog, ContentRecord } from './content-log.ts';
import type { GeminiFacts, GeminiFaults } from './faults/fault.ts';
import { countsAgainstLimits, toGeminiFaultError } from './faults/fault-errors.ts';
import type { ImplicitCache } from './implicit-cache.ts';
import type { ProjectLimits } from './quota/project-limits.ts';
import { type ContentReply, finishContent, toContentResponse } from './reply/content-reply.ts';
import { toStream } from './reply/stream.ts';
import { type ContentRequest, readContentRequest } from './validate/content-request.ts';

export const MAX_BODY_BYTES = 20 * 1024 * 1024; // the provider's error names it: "exceeds the limit: 20971520 bytes"

export interface GeminiState {
  cache: ImplicitCache;
  faults: GeminiFaults;
  limits: ProjectLimits;
  log: ContentLog;
  latencyMs: () => number;
}

/** Who asks, and which model. */
export interface Caller {
  project: string;
  tier: 'free' | 'paid';
  model: string;
}

/**
 * `POST /v1beta/models/…:generateContent` and `:streamGenerateContent`.
 * @param stream how the chunks are framed; null: one JSON object
 * @throws GoogleError for a request that is refused before the model runs
 */
export async function answerContent(
  exchange: Exchange<ContentRecord>,
  state: GeminiState,
  caller: Caller,
  stream: 'sse' | 'array' | null,
): Promise<void> {
  const { record } = exchange;
  const served = findServedGemini(caller.model);
  const body = toValue(await readBody(exchange.req, MAX_BODY_BYTES));
  const request = readContentRequest(body);
  describe(record, request);
  const facts: GeminiFacts = { model: caller.model, project: caller.project, prompt: () => request.prompt };
  const fault = state.faults.take(facts);
  record.fault = fault?.kind ?? null;
  const error = fault === null ? null : toGeminiFaultError(fault, facts);
  if (fault !== null && countsAgainstLimits(fault)) takeFromLimits(request, served, state, caller);
  if (error !== null) throw error;
  if (intercept(exchange, fault)) return;

  const promptTokens = takeFromLimits(request, served, state, caller);
  const thought = answerQuestion(request.prompt, request.wantsJson, request.schema);
  const reply = finishContent(thought, fault, request.maxOutputTokens ?? served.outputTokenLimit);
  const usage = toUsage(state, caller, request, promptTokens, reply);
  state.log.serve(record, usage, billGeminiNanoUsd(served, usage)); // from here on the call is billed, even if the client leaves
  record.finishReason = reply.finishReason ?? reply.blockReason;
  await wait(toLatency(thought, state), exchange.gone);
  if (fault?.kind === 'hung') return untilGone(exchange.gone);
  const id = `sim_${record.promptHash ?? ''}`;
  const response = toContentResponse(reply, usage, caller.model, id);
  if (fault?.kind === 'no-usage') Reflect.deleteProperty(response, 'usageMetadata');
  if (stream === null) return deliver(exchange, response, {}, fault);
  const { type, text } = toStream(response, stream);
  send(exchange, 200, type, text);
}

/** `POST /v1beta/models/…:countTokens`: free, outside all limits, and no fault hits it. @throws GoogleError */
export async function answerCount(exchange: Exchange<ContentRecord>, caller: Caller): Promise<void> {
  findServedGemini(caller.model);
  const body = toValue(await readBody(exchange.req, MAX_BODY_BYTES));
  const wrapped = typeof body === 'object' && body !== null && 'generateContentRequest' in body;
  const totalTokens = countPrompt(readContentRequest(wrapped ? body.generateContentRequest : body));
  sendJson(exchange, 200, { totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] });
}

/** @returns the prompt's tokens. @throws GoogleError 400 above the model's window, 429 above the project's limits */
function takeFromLimits(request: ContentRequest, served: ServedGemini, state: GeminiState, caller: Caller): number {
  const tokens = countPrompt(request);
  if (tokens > served.inputTokenLimit) {
    throw invalidArgument(
      `The input token count (${tokens}) exceeds the maximum number of tokens allowed (${served.inputTokenLimit}).`,
    );
  }
  state.limits.take(caller.project, caller.model, tokens, caller.tier);
  return tokens;
}

function countPrompt(request: ContentRequest): number {
  return estimateTokens(request.system.length + request.prompt.length);
}

function toUsage(
  state: GeminiState,
  caller: Caller,
  request: ContentRequest,
  promptTokens: number,
  reply: ContentReply,
): Usage {
  const cached = state.cache.read(`${caller.project} ${caller.model}`, `${request.system}\n${request.prompt}`);
  const cache_read = Math.min(cached, promptTokens);
  const output = reply.candidatesTokens + reply.thoughtsTokens;
  return { input: promptTokens - cache_read, cache_write: 0, cache_read, output };
}

function toLatency(thought: ArchiveAnswer, state: GeminiState): number {
  return thought.markers?.latencyMs ?? state.latencyMs();
}

function describe(record: ContentRecord, request: ContentRequest): void {
  record.promptHash = sha256(`${request.system}\n${request.prompt}`).slice(0, 24);
  record.question = parseArchivePrompt(request.prompt.slice(-40_000)).question?.trim().slice(0, 200) ?? null;
}

function toValue(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch (cause) {
    throw invalidArgument(`Invalid JSON payload received. ${toErrorText(cause)}`);
  }
}
