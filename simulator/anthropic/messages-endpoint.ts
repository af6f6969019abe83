import type { Usage } from '../../queues/usage.ts';
import type { MessagesRequest, ModelReply, SimulatedModel } from '../model/types.ts';
import { deliver, intercept } from '../provider-host/deliver.ts';
import { toErrorText } from '../provider-host/error-text.ts';
import { type Exchange, readBody, sendJson, wait } from '../provider-host/exchange.ts';
import { sha256 } from '../provider-host/hash.ts';
import { isObject, parseJson } from '../provider-host/json.ts';
import { deliverStream } from '../provider-host/stream/deliver-stream.ts';
import { ApiError, invalidRequest } from './api/api-error.ts';
import { billNanoUsd } from './api/served-model.ts';
import type { AnthropicFacts, AnthropicFaults } from './faults/fault.ts';
import { toFaultError, toStreamError } from './faults/fault-errors.ts';
import { spoilFinishedReply, spoilModelReply } from './faults/fault-replies.ts';
import type { MinuteLimits } from './limits/minute-limits.ts';
import type { PrefixCache } from './prompt/prefix-cache.ts';
import { sumTokens } from './prompt/prompt-segments.ts';
import { finishReply } from './reply/finish-reply.ts';
import { toMessage, toMessageId } from './reply/message.ts';
import { PING, toEventText, toStreamFrames } from './reply/stream-frames.ts';
import type { AnthropicLog, RequestRecord } from './request-log.ts';
import { validateRequest } from './validate/request.ts';

const MAX_BODY_BYTES = 32 * 1024 * 1024; // https://docs.claude.com/en/api/errors, request_too_large

export interface ProviderState {
  model: SimulatedModel;
  cache: PrefixCache;
  faults: AnthropicFaults;
  limits: MinuteLimits;
  log: AnthropicLog;
  latencyMs: (model: string) => number;
}

/** `POST /v1/messages`. @throws ApiError for a request that is refused before the model runs */
export async function answerMessages(exchange: Exchange<RequestRecord>, state: ProviderState): Promise<void> {
  const { record } = exchange;
  const body = await readBody(exchange.req, MAX_BODY_BYTES);
  const requestHash = sha256(body);
  const value = toValue(body);
  const facts = toFacts(value);
  describe(record, requestHash, facts, value);
  const fault = state.faults.take(facts);
  record.fault = fault?.kind ?? null;
  const error = fault === null ? null : toFaultError(fault);
  if (error !== null) throw error;
  if (intercept(exchange, fault)) return;

  const { request, model, segments } = validateRequest(value, 'create');
  const limitHeaders = state.limits.take(model.id);
  const said = spoilModelReply(fault, askModel(state.model, request), request);
  const reply = spoilFinishedReply(fault, finishReply(said, request, requestHash));
  const { keep, ...split } = state.cache.split(model.id, segments);
  const usage: Usage = { ...split, output: reply.output };
  const book = (output: number): void => {
    const soFar = { ...usage, output };
    state.log.serve(record, soFar, billNanoUsd(model, soFar));
  };
  book(request.stream === true ? 0 : reply.output); // from here on the call is billed, even if the client leaves
  record.messageId = toMessageId(requestHash);
  record.stopReason = reply.stopReason;
  record.tools = reply.content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : []));
  const message = toMessage(reply, model.id, usage, requestHash);
  const latencyMs = said.latencyMs ?? state.latencyMs(model.id);
  if (request.stream === true) {
    const errorText = toEventText(toStreamError(fault, record.requestId));
    const stream = { frames: toStreamFrames(message), ping: PING, latencyMs, headers: limitHeaders, errorText };
    return deliverStream(exchange, { ...stream, begin: keep, book }, fault);
  }
  await wait(latencyMs, exchange.gone);
  keep();
  await deliver(exchange, message, limitHeaders, fault);
}

/** `POST /v1/messages/count_tokens`: free, and no fault hits it. @throws ApiError */
export async function answerCountTokens(exchange: Exchange<RequestRecord>): Promise<void> {
  const { request, segments } = validateRequest(toValue(await readBody(exchange.req, MAX_BODY_BYTES)), 'count');
  exchange.record.model = request.model;
  sendJson(exchange, 200, { input_tokens: sumTokens(segments) });
}

function toValue(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch (cause) {
    throw invalidRequest(`The request body is not valid JSON: ${toErrorText(cause)}`);
  }
}

function askModel(model: SimulatedModel, request: MessagesRequest): ModelReply {
  try {
    return model.reply(request);
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
