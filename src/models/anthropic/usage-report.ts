import { z } from 'zod';
import type { Usage } from '../../../queues/usage.ts';
import { createRedactor } from '../../config/redact.ts';
import { AccountRefusedError, ProviderUnavailableError, toMessage } from '../../errors.ts';

/** What the provider counted of one model on one UTC day, of the whole organisation. */
export interface ReportedUsage {
  /** As the provider names it: a dated snapshot, or its alias. */
  model: string;
  /** `us` costs a tenth more. Null: the provider does not say. */
  geo: string | null;
  usage: Usage;
}

export interface UsageReportOptions {
  /** A key of the Admin API; a key of the Messages API is refused. */
  adminKey: string;
  /** Default: the provider's address. */
  baseUrl?: string | undefined;
  signal: AbortSignal;
}

/** A page holds one bucket a day at most; more pages than this mean that the cursor does not move. */
const MOST_PAGES = 100;
const NAME = 'the usage report';
const PROVIDER = 'https://api.anthropic.com';
const DAY_MS = 86_400_000;

const tokens = z.int().nonnegative();

const pageSchema = z.object({
  data: z.array(
    z.object({
      starting_at: z.string(),
      results: z.array(
        z.object({
          model: z.string().nullish(),
          inference_geo: z.string().nullish(),
          uncached_input_tokens: tokens,
          cache_creation: z.object({ ephemeral_5m_input_tokens: tokens, ephemeral_1h_input_tokens: tokens }),
          cache_read_input_tokens: tokens,
          output_tokens: tokens,
        }),
      ),
    }),
  ),
  has_more: z.boolean(),
  next_page: z.string().nullish(),
});

type Page = z.output<typeof pageSchema>;

/**
 * Reads what the provider counted on one UTC day, by model. The report holds a call about five minutes after it ended.
 * https://platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages
 * @param day `YYYY-MM-DD`
 * @throws AccountRefusedError for a key that may not read it, ProviderUnavailableError for anything else
 */
export async function readUsageReport(day: string, options: UsageReportOptions): Promise<ReportedUsage[]> {
  const found: ReportedUsage[] = [];
  let next: string | null = null;
  let isFound = false;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await readPage(day, next, options);
    for (const { starting_at: start, results } of page.data) {
      if (Date.parse(start) !== toStart(day)) continue;
      isFound = true;
      found.push(...results.map(toReported));
    }
    if (page.has_more && typeof page.next_page === 'string') {
      next = page.next_page;
      continue;
    }
    if (isFound) return found;
    // A day without calls is in the report, too. Its absence must not look like a day that cost nothing.
    throw new ProviderUnavailableError(NAME, true, `${NAME}: expected the day ${day}, got none`);
  }
  throw new ProviderUnavailableError(NAME, true, `${NAME}: expected its end, got ${MOST_PAGES} pages`);
}

async function readPage(
  day: string,
  page: string | null,
  { adminKey, baseUrl, signal }: UsageReportOptions,
): Promise<Page> {
  const redact = createRedactor([adminKey]);
  const url = new URL(`${(baseUrl ?? PROVIDER).replace(/\/+$/, '')}/v1/organizations/usage_report/messages`);
  url.searchParams.set('starting_at', new Date(toStart(day)).toISOString());
  // One day more: the report holds the days that end before this, which may mean "not at it".
  url.searchParams.set('ending_at', new Date(toStart(day) + 2 * DAY_MS).toISOString());
  url.searchParams.set('bucket_width', '1d');
  for (const group of ['model', 'inference_geo']) url.searchParams.append('group_by[]', group);
  if (page !== null) url.searchParams.set('page', page);
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      headers: { 'x-api-key': adminKey, 'anthropic-version': '2023-06-01' },
      signal,
      redirect: 'error', // the key must not follow to another host
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    throw new ProviderUnavailableError(NAME, true, `${NAME}: no answer (${redact(toMessage(error))})`);
  }
  if (status === 401 || status === 403) {
    throw new AccountRefusedError(`${NAME}: the key may not read it: ${status} ${shorten(redact(text))}`);
  }
  if (status !== 200) throw new ProviderUnavailableError(NAME, true, `${NAME}: ${status} ${shorten(redact(text))}`);
  const parsed = pageSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new ProviderUnavailableError(NAME, true, `${NAME}: ${shorten(z.prettifyError(parsed.error))}`);
}

function toReported({ model, inference_geo: geo, ...counts }: Page['data'][number]['results'][number]): ReportedUsage {
  const { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long } = counts.cache_creation;
  return {
    model: model ?? '',
    geo: geo ?? null,
    usage: {
      input: counts.uncached_input_tokens,
      cache_write: short + long,
      cache_read: counts.cache_read_input_tokens,
      output: counts.output_tokens,
    },
  };
}

function toStart(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function shorten(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 300);
}
