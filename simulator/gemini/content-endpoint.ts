import type { Usage } from '../../queues/usage.ts';
import { deliver, intercept } from '../provider-host/deliver.ts';
import { type Exchange, sendJson, untilGone, wait } from '../provider-host/exchange.ts';
import { deliverStream } from '../provider-host/stream/deliver-stream.ts';
import { invalidArgument } from './api/google-error.ts';
import { billGeminiNanoUsd, findServedGemini, type ServedGemini } from './api/served-models.ts';
import type { ContentLog, ContentRecord } from './content-log.ts';
import { countPrompt, countTurns, describePrompt, readPrompt } from './content-prompt.ts';
import type { GeminiFacts, GeminiFaults } from './faults/fault.ts';
import { countsAgainstLimits, toGeminiFaultError, toStreamError } from './faults/fault-errors.ts';
import type { ImplicitCache } from './implicit-cache.ts';
import type { ProjectLimits } from './quota/project-limits.ts';
import type { SpendLimit } from './quota/spend-limit.ts';
import { finishContent } from './reply/content-reply.ts';
import { toContentChunks, toContentResponse } from './reply/content-response.ts';
import { say } from './reply/say.ts';
import type { GeminiRules } from './rules/rules.ts';
import type { ContentRequest } from './validate/content-request.ts';

export interface GeminiState {
  rules: () => GeminiRules;
  cache: ImplicitCache;
  faults: GeminiFaults;
  limits: ProjectLimits;
  spend: SpendLimit;
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
  const rules = state.rules();
  const request = await readPrompt(exchange, rules, served);
  const promptHash = describePrompt(record, request);
  const { model, project } = caller;
  const facts: GeminiFacts = { model, project, turn: countTurns(request), prompt: () => request.prompt };
  const fault = state.faults.take(facts);
  record.fault = fault?.kind ?? null;
  const error = fault === null ? null : toGeminiFaultError(fault, facts);
  if (fault !== null && countsAgainstLimits(fault)) takeFromLimits(request, served, state, caller);
  if (error !== null) throw error;
  if (intercept(exchange, fault)) return;

  const promptTokens = takeFromLimits(request, served, state, caller);
  const maxOutputTokens = request.maxOutputTokens ?? served.outputTokenLimit;
  const said = say(request, model, maxOutputTokens);
  const reply = finishContent({
    said,
    offered: request.offered,
    fault,
    maxOutputTokens,
    rules,
    countThoughts: (text) => rules.countThoughts(served, request.thinking, promptHash, text),
  });
  const usage = {
    ...toPromptUsage(state, caller, request, promptTokens),
    output: reply.candidatesTokens + reply.thoughtsTokens,
  };
  const book = (output: number): void => {
    const nanoUsd = billGeminiNanoUsd(served, { ...usage, output });
    state.spend.add(caller.project, nanoUsd - record.billNanoUsd);
    state.log.serve(record, { ...usage, output }, nanoUsd);
  };
  book(stream === 'sse' ? 0 : usage.output); // from here on the call is billed, even if the client leaves
  record.tools = reply.calls.map(({ name }) => name);
  record.finishReason = reply.finishReason ?? reply.blockReason;
  const latencyMs = said.latencyMs ?? state.latencyMs();
  const signs = rules.strict && served.alwaysThinks;
  const counts = fault?.kind !== 'no-usage';
  const terms = { usage, model, responseId: `sim_${promptHash}`, signs, counts };
  if (fault?.kind === 'hung') return untilGone(exchange.gone);
  if (stream === 'sse') {
    const frames = toContentChunks(reply, terms).map(({ body, ...chunk }) => ({ ...chunk, text: toEventText(body) }));
    const errorText = toEventText(toStreamError(fault));
    return deliverStream(
      exchange,
      { frames, ping: null, latencyMs, headers: {}, errorText, begin: () => {}, book },
      fault,
    );
  }
  await wait(latencyMs, exchange.gone);
  const whole =
    stream === null ? toContentResponse(reply, terms) : toContentChunks(reply, terms).map(({ body }) => body);
  await deliver(exchange, whole, {}, fault);
}

/** `POST /v1beta/models/…:countTokens`: free, outside all limits, and no fault hits it. @throws GoogleError */
export async function answerCount(
  exchange: Exchange<ContentRecord>,
  state: GeminiState,
  caller: Caller,
): Promise<void> {
  const served = findServedGemini(caller.model);
  const rules = state.rules();
  const totalTokens = countPrompt(await readPrompt(exchange, rules, served), rules);
  sendJson(exchange, 200, { totalTokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: totalTokens }] });
}

/** @returns the prompt's tokens. @throws GoogleError 400 above the model's window, 429 above the project's limits */
function takeFromLimits(request: ContentRequest, served: ServedGemini, state: GeminiState, caller: Caller): number {
  const tokens = countPrompt(request, state.rules());
  if (tokens > served.inputTokenLimit) {
    throw invalidArgument(
      `The input token count (${tokens}) exceeds the maximum number of tokens allowed (${served.inputTokenLimit}).`,
    );
  }
  state.spend.check(caller.project, caller.tier);
  state.limits.take(caller.project, caller.model, tokens, caller.tier);
  return tokens;
}

function toPromptUsage(
  state: GeminiState,
  caller: Caller,
  request: ContentRequest,
  promptTokens: number,
): Omit<Usage, 'output'> {
  const text = request.countedText;
  const cached = text.slice(0, state.cache.read(`${caller.project} ${caller.model}`, text));
  const cache_read = Math.min(cached === '' ? 0 : state.rules().countTokens(cached), promptTokens);
  return { input: promptTokens - cache_read, cache_write: 0, cache_read };
}

function toEventText(body: object): string {
  return `data: ${JSON.stringify(body)}\r\n\r\n`;
}
