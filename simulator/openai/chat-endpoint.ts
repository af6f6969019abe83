import type { Usage } from '../../queues/usage.ts';
import type { ModelReply, SimulatedModel } from '../model/types.ts';
import { deliver, intercept } from '../provider-host/deliver.ts';
import { toErrorText } from '../provider-host/error-text.ts';
import { type Exchange, readBody, wait } from '../provider-host/exchange.ts';
import { sha256 } from '../provider-host/hash.ts';
import { isObject, parseJson } from '../provider-host/json.ts';
import { deliverStream } from '../provider-host/stream/deliver-stream.ts';
import { ChatApiError, invalidRequest } from './api/api-error.ts';
import { billChatNanoUsd } from './api/served-model.ts';
import type { ActiveChatFault, ChatFacts, ChatFaults } from './faults/fault.ts';
import { toChatFaultError, toChunkError } from './faults/fault-errors.ts';
import { spoilChatReply, spoilFinishedChat } from './faults/fault-replies.ts';
import type { ChatLimits } from './limits/chat-limits.ts';
import type { PromptCache } from './prompt/prompt-cache.ts';
import { toMessagesRequest } from './prompt/to-messages.ts';
import { toChatUsage, toCompletion, toHead } from './reply/completion.ts';
import { type ChatTerms, countReasoning, type FinishedChat, finishChat } from './reply/finish-reply.ts';
import { toChunks } from './reply/stream-frames.ts';
import type { ChatLog, ChatRecord } from './request-log.ts';
import { type ValidChat, validateChat } from './validate/request.ts';

const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface ChatState {
  model: SimulatedModel;
  cache: PromptCache;
  faults: ChatFaults;
  limits: ChatLimits;
  log: ChatLog;
  latencyMs: (model: string) => number;
  now: () => number;
}

/**
 * `POST /v1/chat/completions`.
 * @param checkKey refuses a request whose key its vendor does not accept
 * @throws ChatApiError for a request that is refused before the model runs
 */
export async function answerChat(
  exchange: Exchange<ChatRecord>,
  state: ChatState,
  checkKey: (model: string) => void,
): Promise<void> {
  const { record } = exchange;
  const body = await readBody(exchange.req, MAX_BODY_BYTES);
  const requestHash = sha256(body);
  const value = toValue(body);
  const facts = toFacts(value);
  const { prompt: _prompt, ...logged } = facts;
  Object.assign(record, { requestHash, ...logged });
  checkKey(facts.model);
  const fault = state.faults.take(facts);
  record.fault = fault?.kind ?? null;
  const key = record.keyHash ?? '';
  Object.assign(exchange.headers, state.limits.toHeaders(key, facts.model));
  const error = fault === null || !meets(fault, value) ? null : toChatFaultError(fault);
  if (error !== null) throw error;
  if (intercept(exchange, fault)) return;

  const valid = validateChat(value);
  const { request, model, prompt, promptTokens } = valid;
  const most = request.max_completion_tokens ?? request.max_tokens ?? model.maxOutputTokens;
  state.limits.admit(key, model.id, Math.max(promptTokens, request.max_completion_tokens ?? request.max_tokens ?? 0));
  const terms: ChatTerms = { model, requestHash, maxTokens: most, stop: toList(request.stop), effort: valid.effort };
  const { reply, latencyMs } = createReply(state, valid, terms, fault);
  const { read, written } = state.cache.read(`${key} ${model.id}`, prompt, model.charactersPerToken);
  const cache_read = Math.min(read, promptTokens);
  const cache_write = model.billsCacheWrites ? Math.min(written, promptTokens - cache_read) : 0;
  const usage: Usage = {
    input: promptTokens - cache_read - cache_write,
    cache_read,
    cache_write,
    output: reply.output,
  };
  const book = (output: number): void => {
    const soFar = { ...usage, output };
    state.log.serve(record, soFar, billChatNanoUsd(model, soFar));
  };
  book(request.stream === true ? 0 : reply.output); // from here on the call is billed, even if the client leaves
  record.finishReason = reply.finishReason;
  record.tools = reply.calls.map(({ name }) => name);
  const head = toHead(requestHash, model.id, state.now());
  const headers = state.limits.toHeaders(key, model.id);
  const told = fault?.kind === 'no-usage' ? null : toChatUsage(model, usage, reply.reasoningTokens);
  if (request.stream === true) {
    const asked = request.stream_options?.include_usage === true;
    const shown = asked || model.vendor === 'mistral'; // Mistral's last chunk has it anyway: https://docs.mistral.ai/api/endpoint/chat
    const counts = { output: reply.output, reasoningTokens: reply.reasoningTokens };
    const sent = fault?.kind === 'no-finish' ? { ...reply, finishReason: '' } : reply;
    const frames = toChunks(sent, { head, usage: shown ? told : null, namesUsage: asked, ...counts });
    const kept = fault?.kind === 'no-finish' ? frames.slice(0, -3) : frames;
    const stream = {
      frames: kept,
      ping: ': OPENROUTER PROCESSING\n\n',
      latencyMs,
      headers,
      errorText: toChunkError(fault),
    };
    return deliverStream(exchange, { ...stream, begin: () => {}, book }, fault);
  }
  await wait(latencyMs, exchange.gone);
  await deliver(exchange, toCompletion(head, reply, told), headers, fault);
}

function createReply(
  state: ChatState,
  { request, model }: ValidChat,
  terms: ChatTerms,
  fault: ActiveChatFault | null,
): { reply: FinishedChat; latencyMs: number } {
  const room = Math.max(0, terms.maxTokens - countReasoning(terms));
  const { charactersPerToken } = model;
  let said: ModelReply;
  try {
    said = state.model.reply(toMessagesRequest(request, terms.maxTokens), {
      characters: Math.floor(room * charactersPerToken),
      charactersPerToken,
    });
  } catch (cause) {
    throw new ChatApiError(500, 'server_error', `simulator: the simulated model failed: ${toErrorText(cause)}`);
  }
  const reply = finishChat(spoilChatReply(fault, said, request), terms);
  return { reply: spoilFinishedChat(fault, reply), latencyMs: said.latencyMs ?? state.latencyMs(model.id) };
}

/** A server that does not know a field refuses only a request that has it. */
function meets({ kind }: ActiveChatFault, value: unknown): boolean {
  const field = kind === 'no-schema' ? 'response_format' : kind === 'no-stream-options' ? 'stream_options' : undefined;
  return field === undefined || (isObject(value) && field in value);
}

function toValue(body: Buffer): unknown {
  let value: unknown;
  try {
    value = parseJson(body);
  } catch {
    throw invalidRequest(
      'We could not parse the JSON body of your request. (HINT: This likely means you aren’t using your HTTP library correctly.)',
    );
  }
  if (/\\u[dD][89a-fA-F]/.test(body.toString()) && !JSON.stringify(value).isWellFormed()) {
    throw invalidRequest('We could not parse the JSON body of your request: lone surrogate in a string.');
  }
  return value;
}

/** Reads what it can of a body that may be invalid. */
function toFacts(value: unknown): ChatFacts & { taskHash: string | null } {
  const body = isObject(value) ? value : {};
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const first = messages.find(({ role }) => role === 'user');
  return {
    model: typeof body.model === 'string' ? body.model : '',
    user: typeof body.user === 'string' ? body.user : null,
    taskHash: first === undefined ? null : sha256(JSON.stringify(first.content)).slice(0, 16),
    prompt: () =>
      messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content))).join('\n'),
    turn: messages.filter(({ role }) => role === 'assistant').length,
  };
}

function toList(stop: string | string[] | null | undefined): string[] {
  return typeof stop === 'string' ? [stop] : (stop ?? []);
}
