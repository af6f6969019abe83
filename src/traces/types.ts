/** An attribute of a span or event. A whole number is an int, any other one a double. */
export type AttributeValue = string | number | boolean;
export type Attributes = Record<string, AttributeValue>;

/** One span, as far as the fleet has them. Times are ms since 1970, by Redis' clock. */
export interface Span {
  traceId: string;
  spanId: string;
  /** Absent: the root of its trace. */
  parentSpanId?: string;
  name: string;
  /** `client`: a call of another service. */
  kind: 'internal' | 'client';
  startAt: number;
  endAt: number;
  attributes: Attributes;
  events: { at: number; name: string; attributes: Attributes }[];
  /** Why it failed; empty: it is not told. Null: it did not fail. */
  failure: string | null;
}

/** A job that has ended. */
export interface EndedJob {
  id: string;
  queue: string;
  /** The mission that it belongs to, whose trace it joins; null: none. */
  missionId: string | null;
  batch: string | null;
  /** When it was added, and when it ended. */
  addedAt: number;
  endedAt: number;
  /** The reason of its failure, such as `schema`; null: it did not fail. */
  failure: string | null;
  /** Id of its finding; null: none. */
  findingId: string | null;
  /** What it was asked and what it answered; null: they are not sent. */
  content: { input: string; output: string | null } | null;
}
