/** A stretch of time until now, in steps of one length. */
export interface Span {
  stepMs: number;
  /** Steps of the span, the one that has not ended yet included; as many samples are kept. */
  steps: number;
}

export type SpanName = '1h' | '24h' | '7d';

export const SPANS: Readonly<Record<SpanName, Span>> = {
  '1h': { stepMs: 60_000, steps: 60 },
  '24h': { stepMs: 600_000, steps: 144 },
  '7d': { stepMs: 3_600_000, steps: 168 },
};

export const SPAN_NAMES = Object.keys(SPANS) as SpanName[];
