import { type LoggedRequest, RequestLog, type ServedTotals } from '../provider-host/request-log.ts';

/** What the log keeps of a request to the Messages API besides the common fields. */
interface OwnFields {
  /** `req_sim_…`: differs for every request, even if the same body is sent again. */
  requestId: string;
  /** `metadata.user_id`: the job's id. */
  user: string | null;
  /** Hash of the whole body: the same for the same call. */
  requestHash: string | null;
  messageId: string | null;
  stopReason: string | null;
}

/** One request as the provider saw it. */
export type RequestRecord = LoggedRequest & OwnFields;
export type AnthropicLog = RequestLog<OwnFields>;

/** What the provider bills. `byUser` covers only the records still in the log; the other totals cover all requests. */
export interface Served extends ServedTotals {
  byModel: Record<string, ServedTotals>;
  byUser: Record<string, ServedTotals>;
}

/** @param limit records kept */
export function createRequestLog(limit: number): AnthropicLog {
  return new RequestLog(limit, (index) => ({
    requestId: `req_sim_${String(index).padStart(8, '0')}`,
    user: null,
    requestHash: null,
    messageId: null,
    stopReason: null,
  }));
}

export function toServed(log: AnthropicLog): Served {
  return { ...log.totals(), byModel: log.totalsByModel(), byUser: log.totalsBy(({ user }) => user) };
}
