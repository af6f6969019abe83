import { toErrorText } from '../provider-host/error-text.ts';
import { BodyTooLargeError, type Exchange, sendJson } from '../provider-host/exchange.ts';
import { sha256 } from '../provider-host/hash.ts';
import type { ErrorAnswer } from '../provider-host/provider.ts';
import { GoogleError, invalidArgument, invalidKey, missingKey } from './api/google-error.ts';
import { findServedGemini, toGeminiInfo, toGeminiPage } from './api/served-models.ts';
import { answerContent, answerCount, type Caller, type GeminiState } from './content-endpoint.ts';
import type { ContentRecord } from './content-log.ts';
import { MAX_BODY_BYTES } from './content-prompt.ts';

/** Which keys the provider accepts, and which projects they belong to. */
export interface KeyRing {
  /** Key → project. Any other key is a project of its own. */
  projects: Record<string, string>;
  /** Projects on the paid tier. */
  paid: string[];
  /** Null: any non-empty key. */
  accepted: string[] | null;
}

/** Answers a request of the API. @throws GoogleError */
export async function route(
  exchange: Exchange<ContentRecord>,
  url: URL,
  state: GeminiState,
  keys: KeyRing,
): Promise<void> {
  const { record, req } = exchange;
  const owner = readKey(exchange, url, keys);
  if (req.method === 'GET' && url.pathname === '/v1beta/models') return sendJson(exchange, 200, toGeminiPage());
  const path = /^\/v1beta\/models\/([^/:]+)(?::(\w+))?$/.exec(url.pathname);
  const model = decodeURIComponent(path?.[1] ?? '');
  record.model = model === '' ? null : model;
  const caller: Caller = { ...owner, model };
  switch (`${req.method} ${path?.[2] ?? ''}`) {
    case 'POST generateContent':
      return answerContent(exchange, state, caller, null);
    case 'POST streamGenerateContent':
      return answerContent(exchange, state, caller, url.searchParams.get('alt') === 'sse' ? 'sse' : 'array');
    case 'POST countTokens':
      return answerCount(exchange, state, caller);
    case 'GET ':
      return sendJson(exchange, 200, toGeminiInfo(findServedGemini(model)));
    default:
      throw new GoogleError(404, `Requested entity was not found: ${url.pathname}`);
  }
}

/** Every error in the provider's shape; an unexpected one is a 500. */
export function toErrorAnswer(thrown: unknown): ErrorAnswer {
  const error = toGoogleError(thrown);
  return { status: error.status, body: error.toBody() };
}

/** The key is in the header that both SDKs send, or in the address. @throws GoogleError */
function readKey({ req, record }: Exchange<ContentRecord>, url: URL, keys: KeyRing): Omit<Caller, 'model'> {
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
    return invalidArgument(`Request payload size exceeds the limit: ${MAX_BODY_BYTES} bytes.`);
  }
  return new GoogleError(500, `simulator: ${toErrorText(thrown)}`);
}
