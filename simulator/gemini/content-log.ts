import { type LoggedRequest, RequestLog } from '../provider-host/request-log.ts';

/** What the log keeps of a request to the Gemini API besides the common fields. */
interface OwnFields {
  /** The project of the key. */
  project: string | null;
  /** Hash of the whole prompt: the same for the same prompt. */
  promptHash: string | null;
  /** The first 200 characters of the librarian's question; null for another prompt. */
  question: string | null;
  /** `finishReason`, or `blockReason` of a refused prompt. */
  finishReason: string | null;
}

/** One request as the provider saw it. Instants are the simulated clock's. Bills are by the paid tier's prices. */
export type ContentRecord = LoggedRequest & OwnFields;
export type ContentLog = RequestLog<OwnFields>;

/** @param limit records kept */
export function createContentLog(limit: number): ContentLog {
  return new RequestLog(limit, () => ({
    project: null,
    promptHash: null,
    question: null,
    finishReason: null,
  }));
}
