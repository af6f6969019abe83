import { toErrorText } from '../provider-host/error-text.ts';
import type { Usage } from '../../queues/usage.ts';
import { ApiError, invalidRequest } from './api/api-error.ts';
import type { SimulatedModel, ModelReply } from '../model/types.ts';
import { deliver, reset, sendGatewayPage } from '../provider-host/deliver.ts';
import { type Exchange, readBody, sendJson, sha256, wait } from '../provider-host/exchange.ts';
import type { FaultFacts, FaultPlan } from './faults/fault.ts';
import { toFaultError } from './faults/fault-errors.ts';
import { spoilModelReply, spoilFinishedReply } from './faults/fault-replies.ts';
import type { MinuteLimits } from './limits/minute-limits.ts';
import type { PrefixCache } from './prompt/prefix-cache.ts';
import { sumTokens } from './prompt/prompt-segments.ts';
import { type MessagesRequest } from '../model/types.ts';
import { finishReply } from './reply/finish-reply.ts';
import { toMessage, toMessageId } from './reply/message.ts';
import type { RequestLog, RequestRecord } from './request-log.ts';
import { billNanoUsd } from './api/served-model.ts';
import { isObject } from '../provider-host/json.ts';
import { validateRequest } from './validate/request.ts';

export interface ProviderState {
  model: SimulatedModel;
  cache: PrefixCache;
  faults: FaultPlan;
  limits: MinuteLimits;
  log: RequestLog;
  latencyMs: (model: string) => number;
}

/** `POST /v1/messages`. @throws ApiError for what is refused before the model runs */
export async function answerMessages(exchange: Exchange<RequestRecord>, state: ProviderState): Promise<void> {
  const { record } = exchange;
  const body = await readBody(exchange.req);
  const requestHash = sha256(body);
  const value = parseJson(body);
  const facts = toFacts(value);
  describe(record, requestHash, facts, value);
  const fault = state.faults.take(facts);
  record.fault = fault?.kind ?? null;
  const error = fault === null ? null : toFaultError(fault);
  if (error !== null) throw error;
  if (fault?.kind === 'reset-before') return reset(exchange);
  if (fault?.kind === 'html') return sendGatewayPage(exchange);

  const { request, model, segments } = validateRequest(value, 'create');
  const limitHeaders = state.limits.take(model.id);
  const said = spoilModelReply(fault, think(state.model, request), request);
  const reply = spoilFinishedReply(fault, finishReply(said, request, requestHash));
  const { keep, ...split } = state.cache.split(model.id, segments);
  const usage: Usage = { ...split, output: reply.output };
  state.log.serve(record, usage, billNanoUsd(model, usage)); // a client that hangs up from here on is billed all the same
  record.messageId = toMessageId(requestHash);
  record.stopReason = reply.stopReason;
  record.tools = reply.content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : []));
  await wait(said.latencyMs ?? state.latencyMs(model.id), exchange.gone);
  keep();
  await deliver(exchange, toMessage(reply, model.id, usage, requestHash), limitHeaders, fault);
}

/** `POST /v1/messages/count_tokens`: free, and never under a fault. @throws ApiError */
export async function answerCountTokens(exchange: Exchange<RequestRecord>): Promise<void> {
  const { request, segments } = validateRequest(parseJson(await readBody(exchange.req)), 'count');
  exchange.record.model = request.model;
  sendJson(exchange, 200, { input_tokens: sumTokens(segments) });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw invalidRequest(`The request body is not valid JSON: ${toErrorText(cause)}`);
  }
}

function think(model: SimulatedModel, request: MessagesRequest): ModelReply {
  try {
    return model.reply(request);
  } catch (cause) {
    throw new ApiError(500, 'api_error', `simulator: the model failed: ${toErrorText(cause)}`);
  }
}

/** Reads what can be read of a body that may still turn out to be invalid. */
function toFacts(value: unknown): FaultFacts {
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

function describe(record: RequestRecord, requestHash: string, facts: FaultFacts, value: unknown): void {
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
