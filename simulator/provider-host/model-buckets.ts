import { Bucket } from './bucket.ts';

/** Limits of one model for one key, a minute. An absent one does not limit. */
export type MinuteLimit<Kind extends string> = { [kind in Kind]?: number | undefined } & {
  /** How long an unused limit adds up, ms. Default a minute. */
  burstMs?: number | undefined;
};

/** By model. */
export type LimitsByModel<Kind extends string> = Record<string, MinuteLimit<Kind>>;

/** One bucket a kind of limit, for each key and model. */
export class ModelBuckets<Kind extends string> {
  readonly #kinds: readonly Kind[];
  readonly #defaults: LimitsByModel<Kind>;
  #limits: LimitsByModel<Kind>;
  #buckets = new Map<string, Partial<Record<Kind, Bucket>>>();

  /** @param limits instead of the default ones of these models */
  constructor(kinds: readonly Kind[], defaults: LimitsByModel<Kind>, limits: LimitsByModel<Kind>) {
    this.#kinds = kinds;
    this.#defaults = defaults;
    this.#limits = { ...defaults, ...limits };
  }

  /** Replaces the limits; all buckets are full again. */
  set(limits: LimitsByModel<Kind>): void {
    this.#limits = { ...this.#defaults, ...limits };
    this.#buckets = new Map();
  }

  /** A minute's limit; null: there is none. */
  limitOf(model: string, kind: Kind): number | null {
    return this.#limits[model]?.[kind] ?? null;
  }

  /** The buckets of a key and model; empty where nothing limits the model. */
  open(key: string, model: string, now: number): Partial<Record<Kind, Bucket>> {
    const id = `${key} ${model}`;
    const known = this.#buckets.get(id);
    if (known !== undefined) return known;
    const limit = this.#limits[model];
    if (limit === undefined) return {};
    const opened: Partial<Record<Kind, Bucket>> = {};
    for (const kind of this.#kinds) {
      const perMinute = limit[kind];
      if (perMinute !== undefined) opened[kind] = new Bucket(perMinute, limit.burstMs ?? 60_000, now);
    }
    this.#buckets.set(id, opened);
    return opened;
  }

  /** The first kind that has less than is asked, and for how long; null: there is room. */
  findShort(key: string, model: string, asked: Record<Kind, number>, now: number): Shortage<Kind> | null {
    const buckets = this.open(key, model, now);
    for (const kind of this.#kinds) {
      const waitMs = buckets[kind]?.waitMs(asked[kind], now) ?? 0;
      if (waitMs > 0) return { kind, waitMs };
    }
    return null;
  }
}

export interface Shortage<Kind extends string> {
  kind: Kind;
  waitMs: number;
}
