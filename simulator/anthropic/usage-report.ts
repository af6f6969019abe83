import type { Usage } from '../../queues/usage.ts';
import { invalidRequest } from './api/api-error.ts';
import type { InferenceGeo } from './api/served-model.ts';
import type { AnthropicLog } from './request-log.ts';

/** Days of a page, by default and at most (the endpoint's documentation, `limit`, width `1d`). */
const DEFAULT_LIMIT = 7;
const MOST_LIMIT = 31;
const DAY_MS = 86_400_000;

/** Whether a key looks like one of the Admin API; the Messages API's own keys may not read reports. */
export function isAdminKey(key: string): boolean {
  return /(^|-)admin/.test(key);
}

/**
 * Body of `GET /v1/organizations/usage_report/messages` for whole days, grouped by model and geo where asked. It covers the
 * requests that the log keeps. https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages
 * @throws ApiError for a query that the API refuses, and for a width that is not simulated
 */
export function toUsageReport(query: URLSearchParams, log: AnthropicLog, geo: InferenceGeo | null): object {
  const width = query.get('bucket_width') ?? '1d';
  if (width !== '1d') throw invalidRequest(`bucket_width: the simulator knows 1d, not ${width}`);
  const first = toDay(query.get('page')?.replace(/^page_/, '') ?? query.get('starting_at'), 'starting_at');
  const end = toDay(query.get('ending_at') ?? new Date().toISOString(), 'ending_at');
  const limit = Math.min(MOST_LIMIT, Number(query.get('limit') ?? DEFAULT_LIMIT));
  const groups = new Set(query.getAll('group_by[]'));
  const data: object[] = [];
  let day = first;
  for (; day < end && data.length < limit; day += DAY_MS) {
    data.push({
      starting_at: new Date(day).toISOString(),
      ending_at: new Date(day + DAY_MS).toISOString(),
      results: toResults(day, log, groups, geo),
    });
  }
  const hasMore = day < end;
  return { data, has_more: hasMore, next_page: hasMore ? `page_${new Date(day).toISOString()}` : null };
}

function toResults(day: number, log: AnthropicLog, groups: Set<string>, geo: InferenceGeo | null): object[] {
  const sums = new Map<string | null, Usage>();
  for (const { model, startedAt, usage } of log.records()) {
    if (usage === null || startedAt < day || startedAt >= day + DAY_MS) continue;
    const name = groups.has('model') ? model : null;
    const sum = sums.get(name) ?? { input: 0, cache_write: 0, cache_read: 0, output: 0 };
    sum.input += usage.input;
    sum.cache_write += usage.cache_write;
    sum.cache_read += usage.cache_read;
    sum.output += usage.output;
    sums.set(name, sum);
  }
  return [...sums].map(([model, usage]) => ({
    uncached_input_tokens: usage.input,
    cache_creation: { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: usage.cache_write },
    cache_read_input_tokens: usage.cache_read,
    output_tokens: usage.output,
    server_tool_use: { web_search_requests: 0 },
    api_key_id: null,
    workspace_id: null,
    model,
    service_tier: null,
    context_window: null,
    inference_geo: groups.has('inference_geo') ? (geo ?? 'not_available') : null,
  }));
}

function toDay(text: string | null, name: string): number {
  const at = Date.parse(text ?? '');
  if (Number.isNaN(at)) throw invalidRequest(`${name}: Field required`);
  return Math.floor(at / DAY_MS) * DAY_MS;
}
