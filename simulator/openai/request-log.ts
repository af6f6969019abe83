import { type LoggedRequest, RequestLog, type ServedTotals } from '../provider-host/request-log.ts';

/** What the log keeps of a chat completion besides the common fields. */
interface OwnFields {
  /** `req_sim_…`: differs for every request, even if the same body is sent again. */
  requestId: string;
  /** `user`: the job's id, where the client sends it. */
  user: string | null;
  /** Hash of the whole body: the same for the same call. */
  requestHash: string | null;
  finishReason: string | null;
}

/** One request as the provider saw it. */
export type ChatRecord = LoggedRequest & OwnFields;
export type ChatLog = RequestLog<OwnFields>;

/** What the provider bills. */
export interface ChatServed extends ServedTotals {
  byModel: Record<string, ServedTotals>;
}

/** @param limit records kept */
export function createChatLog(limit: number): ChatLog {
  return new RequestLog(limit, (index) => ({
    requestId: `req_sim_${String(index).padStart(8, '0')}`,
    user: null,
    requestHash: null,
    finishReason: null,
  }));
}

export function toChatServed(log: ChatLog): ChatServed {
  return { ...log.totals(), byModel: log.totalsByModel() };
}
