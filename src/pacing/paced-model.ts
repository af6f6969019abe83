export type LimitKind = 'requests' | 'input' | 'output';

/** What the pacer knows of one model. */
export interface PacedModel {
  model: string;
  /** Calls under way, and calls that wait. */
  calls: number;
  waiting: { begun: number; fresh: number };
  /** So long the provider wants no call, ms; 0: it takes calls. */
  heldForMs: number;
  /** What its answers stated, a minute, and what was used in the last one; empty: it states no limits. */
  limits: { kind: LimitKind; perMinute: number; used: number }[];
}
