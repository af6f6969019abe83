import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../process/logger.ts';
import { createThrottledWarning } from '../process/throttled-log.ts';
import { toOtlpJson, type Sender } from './otlp-json.ts';
import type { Span } from './types.ts';

/** Spans of one request. */
const MOST_IN_REQUEST = 512;
/** Spans that wait while the receiver is away; then the oldest go. */
const MOST_WAITING = 10_000;
const REQUEST_MS = 10_000;
/** Waits before a request is sent again; after the last one its spans are dropped. */
const RETRY_MS = [1_000, 5_000];
/** Answers after which the same request may be sent again. https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE = new Set([429, 502, 503, 504]);

export interface Exporter {
  /** Takes spans to be sent soon. Nothing waits for it. */
  add(spans: readonly Span[]): void;
  /** Sends what waits, for at most `ms`, and ends. */
  close(ms: number): Promise<void>;
}

/**
 * Sends spans to a receiver of OTLP over HTTP, in JSON. A receiver that is away or refuses costs the spans and a warning, and never a job.
 * @param url the full address, `…/v1/traces`
 */
export function createExporter(options: {
  url: string;
  headers: Record<string, string>;
  sender: Sender;
  log: Pick<Logger, 'warn'>;
}): Exporter {
  const { url, headers, sender } = options;
  const warn = createThrottledWarning(options.log, 'traces were not sent');
  const closing = new AbortController();
  let waiting: Span[] = [];
  let sending: Promise<void> | null = null;

  async function post(spans: readonly Span[]): Promise<'sent' | 'again'> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(toOtlpJson(sender, spans)),
      redirect: 'error', // the headers may hold a key
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(REQUEST_MS)]),
    });
    const text = await response.text();
    if (RETRYABLE.has(response.status)) return 'again';
    if (!response.ok) throw new Error(`the receiver of traces answers with status ${response.status}`);
    const rejected = toRejected(text);
    if (rejected > 0) throw new Error(`the receiver of traces refuses ${rejected} of ${spans.length} spans`);
    return 'sent';
  }

  async function send(spans: readonly Span[]): Promise<void> {
    for (const waitMs of [...RETRY_MS, null]) {
      const answer = await post(spans).catch((error: unknown) => {
        if (error instanceof TypeError && !closing.signal.aborted) return 'again' as const; // no connection
        throw error;
      });
      if (answer === 'sent') return;
      if (waitMs === null) throw new Error('the receiver of traces does not take them: it is away or busy');
      await sleep(waitMs, undefined, { signal: closing.signal });
    }
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0 && !closing.signal.aborted) {
      const spans = waiting.splice(0, MOST_IN_REQUEST);
      await send(spans).catch((error: unknown) => warn(error instanceof Error ? error : new Error(String(error))));
    }
    sending = null;
  }

  return {
    add(spans) {
      waiting.push(...spans);
      if (waiting.length > MOST_WAITING) waiting = waiting.slice(-MOST_WAITING);
      sending ??= sendAll();
    },
    async close(ms) {
      if (sending === null) return;
      const timer = setTimeout(() => closing.abort(), ms);
      await sending;
      clearTimeout(timer);
    },
  };
}

/** How many spans a receiver states that it refused: `{"partialSuccess":{"rejectedSpans":"2"}}`. */
function toRejected(text: string): number {
  try {
    const answer = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: string | number } };
    return Number(answer.partialSuccess?.rejectedSpans ?? 0);
  } catch {
    return 0; // an answer without a body
  }
}
