import type { Usage } from '../../queues/usage.ts';
import type { MessagesRequest, ModelReply, SimulatedModel } from '../model/types.ts';
import { deliver, intercept } from '../provider-host/deliver.ts';
import { toErrorText } from '../provider-host/error-text.ts';
import { type Exchange, readBody, sendJson, wait } from '../provider-host/exchange.ts';
import { sha256 } from '../provider-host/hash.ts';
import { isObject, parseJson } from '../provider-host/json.ts';
import { deliverStream } from '../provider-host/stream/deliver-stream.ts';
import { ApiError, invalidRequest } from './api/api-error.ts';
import type { ServedModel } from './api/model-table.ts';
import type { Rules } from './api/rules.ts';
import { billNanoUsd, type InferenceGeo } from './api/served-model.ts';
import type { ActiveFault, AnthropicFacts, AnthropicFaults } from './faults/fault.ts';
import { toFaultError, toStreamError } from './faults/fault-errors.ts';
import { spoilFinishedReply, spoilModelReply } from './faults/fault-replies.ts';
import type { MinuteLimits } from './limits/minute-limits.ts';
import type { TokenLimits } from './limits/token-limits.ts';
import type { PrefixCache } from './prompt/prefix-cache.ts';
import { type FinishedReply, finishReply } from './reply/finish-reply.ts';
import { toMessage, toMessageId } from './reply/message.ts';
import { PING, toEventText, toStreamFrames } from './reply/stream-frames.ts';
import type { AnthropicLog, RequestRecord } from './request-log.ts';
import type { BoundThinking } from './thinking/bound-thinking.ts';
import { toSignature } from './thinking/signature.ts';
import { countThinkingTokens } from './thinking/thinking-tokens.ts';
import { type ValidRequest, validateRequest } from './validate/request.ts';
import { checkWellFormed } from './validate/well-formed.ts';

const MAX_BODY_BYTES = 32 * 1024 * 1024; // https://docs.claude.com/en/api/errors, request_too_large

export interface ProviderState {
  rules: Rules;
  model: SimulatedModel;
  cache: PrefixCache;
  thinking: BoundThinking;
  faults: AnthropicFaults;
  limits: MinuteLimits;
  tokenLimits: TokenLimits;
  log: AnthropicLog;
  latencyMs: (model: string) => number;
  geo: () => InferenceGeo | null;
}

/** `POST /v1/messages`. @throws ApiError for a request that is refused before the model runs */
export async function answerMessages(exchange: Exchange<RequestRecord>, state: ProviderState): Promise<void> {
  const { record } = exchange;
  const body = await readBody(exchange.req, MAX_BODY_BYTES);
  const requestHash = sha256(body);
  const value = toValue(body, state.rules);
  const facts = toFacts(value);
  describe(record, requestHash, facts, value);
  const fault = state.faults.take(facts);
  record.fault = fault?.kind ?? null;
  const key = record.keyHash ?? '';
  Object.assign(exchange.headers, state.tokenLimits.toHeaders(key, facts.model)); // an answer that refuses has them, too
  const error = fault === null ? null : toFaultError(fault);
  if (error !== null) throw error;
  if (intercept(exchange, fault)) return;

  const valid = validateRequest(value, 'create', state.rules);
  const { request, model, segments } = valid;
  const promptHash = model.thinking === null ? '' : state.thinking.check(segments);
  const { keep, ...split } = state.cache.split(model, segments);
  const minuteHeaders = state.limits.take(model.id);
  state.tokenLimits.admit(key, model.id, split.input + split.cache_write);
  const { reply, latencyMs } = createReply(state, { ...valid, requestHash, promptHash }, fault);
  const usage: Usage = { ...split, output: reply.output };
  const geo = state.geo();
  let taken = 0;
  const book = (output: number): void => {
    const soFar = { ...usage, output };
    state.log.serve(record, soFar, billNanoUsd(model, soFar, geo));
    state.tokenLimits.takeOutput(key, model.id, output - taken);
    taken = output;
  };
  book(request.stream === true ? 0 : reply.output); // from here on the call is billed, even if the client leaves
  record.messageId = toMessageId(requestHash);
  record.stopReason = reply.stopReason;
  record.tools = reply.content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : []));
  const message = toMessage(reply, model.id, usage, { requestHash, geo });
  const headers = { ...state.tokenLimits.toHeaders(key, model.id), ...minuteHeaders };
  if (request.stream === true) {
    const errorText = toEventText(toStreamError(fault, record.requestId));
    const stream = { frames: toStreamFrames(message), ping: PING, latencyMs, headers, errorText };
    return deliverStream(exchange, { ...stream, begin: keep, book }, fault);
  }
  await wait(latencyMs, exchange.gone);
  keep();
  await deliver(exchange, message, headers, fault);
}

/** Lets the model think and answer. */
function createReply(
  state: ProviderState,
  { request, model, promptTokens, requestHash, promptHash }: ValidRequest & { requestHash: string; promptHash: string },
  fault: ActiveFault | null,
): { reply: FinishedReply; latencyMs: number } {
  const tokens = countThinkingTokens(model, request, requestHash);
  const thinking = tokens === 0 ? null : { tokens, signature: toSignature(tokens, promptHash) };
  const said = spoilModelReply(fault, askModel(state.model, request, model, tokens), request);
  const terms = { request, requestHash, model, promptTokens, thinking };
  const reply = spoilFinishedReply(fault, finishReply(said, terms));
  if (thinking !== null) state.thinking.remember(reply.content);
  return { reply, latencyMs: said.latencyMs ?? state.latencyMs(model.id) };
}

/** `POST /v1/messages/count_tokens`: free, and no fault hits it. @throws ApiError */
export async function answerCountTokens(exchange: Exchange<RequestRecord>, rules: Rules): Promise<void> {
  const value = toValue(await readBody(exchange.req, MAX_BODY_BYTES), rules);
  const { request, promptTokens } = validateRequest(value, 'count', rules);
  exchange.record.model = request.model;
  sendJson(exchange, 200, { input_tokens: promptTokens });
}

function toValue(body: Buffer, rules: Rules): unknown {
  let value: unknown;
  try {
    value = parseJson(body);
  } catch (cause) {
    throw invalidRequest(`The request body is not valid JSON: ${toErrorText(cause)}`);
  }
  if (rules === 'real') checkWellFormed(body.toString('utf8'), value);
  return value;
}

function askModel(
  model: SimulatedModel,
  request: MessagesRequest,
  { charactersPerToken }: ServedModel,
  thinkingTokens: number,
): ModelReply {
  const room = Math.max(0, request.max_tokens - thinkingTokens);
  try {
    return model.reply(request, { characters: Math.floor(room * charactersPerToken), charactersPerToken });
  } catch (cause) {
    throw new ApiError(500, 'api_error', `simulator: the simulated model failed: ${toErrorText(cause)}`);
  }
}

/** Reads what it can of a body that may be invalid. */
function toFacts(value: unknown): AnthropicFacts {
  const body = isObject(value) ? value : {};
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const user = isObject(body.metadata) ? body.metadata.user_id : null;
  return {
    model: typeof body.model === 'string' ? body.model : '',
    user: typeof user === 'string' ? user : null,
    prompt: () => messages.map((message) => toText(message.content)).join('\n'),
    turn: messages.filter((message) => message.role === 'assistant').length,
  };
}

function describe(record: RequestRecord, requestHash: string, facts: AnthropicFacts, value: unknown): void {
  const first =
    isObject(value) && Array.isArray(value.messages) && isObject(value.messages[0]) ? value.messages[0] : {};
  Object.assign(record, { requestHash, model: facts.model, user: facts.user, turn: facts.turn });
  record.taskHash = sha256(toText(first.content)).slice(0, 16);
}

function toText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((block) => (isObject(block) ? toText(block.text ?? block.content) : '')).join('\n');
}
