import { toErrorText } from '../provider-host/error-text.ts';
import { BodyTooLargeError, type Exchange, sendJson } from '../provider-host/exchange.ts';
import { sha256 } from '../provider-host/hash.ts';
import type { ErrorAnswer } from '../provider-host/provider.ts';
import { ChatApiError } from './api/api-error.ts';
import { SERVED_CHAT_MODELS } from './api/model-table.ts';
import { findChatModel, toModelInfo, toModelList } from './api/served-model.ts';
import { answerChat, type ChatState } from './chat-endpoint.ts';
import type { ChatRecord } from './request-log.ts';

/** Answers a request of the API. @throws ChatApiError */
export async function route(
  exchange: Exchange<ChatRecord>,
  url: URL,
  state: ChatState,
  acceptKey: (key: string) => boolean,
): Promise<void> {
  const key = readKey(exchange);
  switch (exchange.record.endpoint) {
    case 'POST /v1/chat/completions':
      return answerChat(exchange, state, (model) => isLocal(model) || checkKey(key, acceptKey));
    case 'GET /v1/models':
      checkKey(key, acceptKey);
      return sendJson(exchange, 200, toModelList());
    default: {
      const model = /^GET \/v1\/models\/([^/]+)$/.exec(exchange.record.endpoint)?.[1];
      if (model === undefined) {
        const words = `Invalid URL (${exchange.req.method} ${url.pathname})`;
        throw new ChatApiError(404, 'invalid_request_error', words);
      }
      checkKey(key, acceptKey);
      return sendJson(exchange, 200, toModelInfo(findChatModel(decodeURIComponent(model))));
    }
  }
}

/** Every error in the provider's shape; an unexpected one is a 500. */
export function toErrorAnswer(thrown: unknown): ErrorAnswer {
  const error = toChatError(thrown);
  return { status: error.status, body: error.toBody(), headers: error.details.headers ?? {} };
}

function toChatError(thrown: unknown): ChatApiError {
  if (thrown instanceof ChatApiError) return thrown;
  if (thrown instanceof BodyTooLargeError) {
    return new ChatApiError(413, 'invalid_request_error', 'Request Entity Too Large');
  }
  return new ChatApiError(500, 'server_error', `simulator: ${toErrorText(thrown)}`);
}

function readKey({ req, record }: Exchange<ChatRecord>): string {
  const key = /^Bearer\s+(.+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? '';
  if (key !== '') record.keyHash = sha256(key).slice(0, 12);
  return key;
}

/** A server on one's own machine asks for no key. */
function isLocal(model: string): true | undefined {
  return SERVED_CHAT_MODELS.some(({ id, vendor }) => id === model && vendor === 'local') ? true : undefined;
}

function checkKey(key: string, acceptKey: (key: string) => boolean): void {
  if (key === '') {
    const words =
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).";
    throw new ChatApiError(401, 'invalid_request_error', words);
  }
  if (acceptKey(key)) return;
  const words =
    'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.';
  throw new ChatApiError(401, 'invalid_request_error', words, { code: 'invalid_api_key' });
}
