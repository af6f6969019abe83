export type LimitKind = 'requests' | 'input' | 'output';

/** One limit of one key and model. */
export interface PacedLimit {
  kind: LimitKind;
  perMinute: number;
  /** In the last minute, smoothed. */
  used: number;
  /** What calls may use now. */
  left: number;
  /** Who says so: the provider's answers, or the model's row in `models.json`. */
  from: 'provider' | 'row';
}

/** What the pacer knows of one model under one key. */
export interface PacedModel {
  model: string;
  /** Hash of the key that the provider limits; `none`: it has none. */
  key: string;
  /** Calls under way, and calls that wait. */
  calls: number;
  waiting: { begun: number; fresh: number };
  /** Most calls at once, by the model's row; null: it states none. */
  atOnce: number | null;
  /** So long the provider wants no call, ms; 0: it takes calls. */
  heldForMs: number;
  /** Of every kind at most one of the provider and one of the row; empty: neither states any. */
  limits: PacedLimit[];
  /** The worker that read the provider's limits last, and when; null: no answer has stated any. */
  learned: { by: string | null; at: string } | null;
}

/** Of each kind the limit that is used up more. */
export function tightestLimits(limits: readonly PacedLimit[]): PacedLimit[] {
  const share = ({ used, perMinute }: PacedLimit): number => used / perMinute;
  const tightest = new Map<LimitKind, PacedLimit>();
  for (const limit of limits) {
    const other = tightest.get(limit.kind);
    if (other === undefined || share(limit) > share(other)) tightest.set(limit.kind, limit);
  }
  return [...tightest.values()];
}
