import { toErrorText } from '../provider-host/error-text.ts';
import { BodyTooLargeError, type Exchange, sendJson } from '../provider-host/exchange.ts';
import { sha256 } from '../provider-host/hash.ts';
import type { ErrorAnswer } from '../provider-host/provider.ts';
import { ApiError, invalidRequest } from './api/api-error.ts';
import { findServedModel, toModelInfo, toModelPage } from './api/served-model.ts';
import { answerCountTokens, answerMessages, type ProviderState } from './messages-endpoint.ts';
import type { RequestRecord } from './request-log.ts';
import { isAdminKey, toUsageReport } from './usage-report.ts';

/** Answers a request of the API. @throws ApiError */
export async function route(
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
      return answerCountTokens(exchange, state.rules);
    case 'GET /v1/organizations/usage_report/messages':
      if (!isAdminKey(toKey(exchange.req) ?? '')) throw new ApiError(401, 'authentication_error', 'invalid x-api-key');
      return sendJson(exchange, 200, toUsageReport(url.searchParams, state.log, state.geo()));
    case 'GET /v1/models':
      return sendJson(exchange, 200, toModelPage(state.rules));
    default: {
      const model = /^GET \/v1\/models\/([^/]+)$/.exec(exchange.record.endpoint)?.[1];
      if (model === undefined) throw new ApiError(404, 'not_found_error', `Not found: ${url.pathname}`);
      return sendJson(exchange, 200, toModelInfo(findServedModel(decodeURIComponent(model), state.rules)));
    }
  }
}

/** Every error in the provider's shape; an unexpected one is a 500. */
export function toErrorAnswer(thrown: unknown, { requestId }: RequestRecord): ErrorAnswer {
  const error = toApiError(thrown);
  return { status: error.status, body: error.toBody(requestId), headers: error.options.headers ?? {} };
}

function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof BodyTooLargeError) {
    return new ApiError(413, 'request_too_large', 'Request exceeds the maximum allowed number of bytes.');
  }
  return new ApiError(500, 'api_error', `simulator: ${toErrorText(thrown)}`);
}

/** The SDK sends the key as `x-api-key` or as bearer token, and always `anthropic-version`. @throws ApiError */
function checkHeaders({ req, record }: Exchange<RequestRecord>, acceptKey: (key: string) => boolean): void {
  const given = toKey(req);
  if (given === undefined) {
    throw new ApiError(401, 'authentication_error', 'x-api-key header or Authorization: Bearer is required');
  }
  record.keyHash = sha256(given).slice(0, 12);
  if (!acceptKey(given)) throw new ApiError(401, 'authentication_error', 'invalid x-api-key');
  if (req.headers['anthropic-version'] === undefined) throw invalidRequest('anthropic-version: header is required');
}

function toKey(req: Exchange<RequestRecord>['req']): string | undefined {
  const bearer = /^Bearer\s+(.+)$/i.exec(req.headers.authorization ?? '')?.[1];
  const given = req.headers['x-api-key'] ?? bearer;
  return typeof given === 'string' && given !== '' ? given : undefined;
}
