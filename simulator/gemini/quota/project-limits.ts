import { toPacificDate } from './pacific-date.ts';
import { toQuotaRefusal, type Violation } from './quota-refusal.ts';

/** Limits of one model in one project. Null or absent: no limit. */
interface Limits {
  /** Requests a minute. */
  rpm?: number | null | undefined;
  /** Prompt tokens a minute. */
  tpm?: number | null | undefined;
  /** Requests a day, midnight to midnight Pacific. */
  rpd?: number | null | undefined;
}

export interface LimitSettings {
  /** Of every project and model, unless `byProject` has another value for the project. */
  all: Limits;
  byProject: Record<string, Limits>;
  /** `sliding`: any window counts. `calendar`: windows start on the full minute. */
  minute: 'sliding' | 'calendar';
  /** Length of the minute in ms. */
  windowMs: number;
}

/** The provider's own count of one project and model. */
export interface ProjectCount {
  project: string;
  model: string;
  accepted: number;
  refused: number;
  /** Most accepted requests in any sliding window, also under calendar limits. */
  mostInWindow: number;
  mostTokensInWindow: number;
  /** Accepted requests by the provider's date. */
  byDay: Record<string, number>;
}

interface Tally {
  count: ProjectCount;
  /** Accepted requests that may still count, oldest first. */
  recent: { startedAt: number; tokens: number }[];
  window: { requests: number; tokens: number };
}

/** Enforces each project's limits. A refused request counts against no limit. */
export class ProjectLimits {
  readonly #tallies = new Map<string, Tally>();
  readonly #now: () => number;
  #settings: LimitSettings;

  constructor(settings: LimitSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  set(settings: Partial<LimitSettings>): void {
    this.#settings = { ...this.#settings, ...settings };
  }

  /** Counts one request. @throws GoogleError 429 that names every limit it would exceed */
  take(project: string, model: string, tokens: number, tier: 'free' | 'paid'): void {
    const now = this.#now();
    const tally = this.#tally(project, model);
    const { windowMs } = this.#settings;
    while (tally.recent[0] !== undefined && tally.recent[0].startedAt <= now - windowMs) {
      const gone = tally.recent.shift();
      tally.window.requests -= 1;
      tally.window.tokens -= gone?.tokens ?? 0;
    }
    const day = toPacificDate(now);
    const violations = this.#findViolations(project, tally, day, tokens, now);
    if (violations.length > 0) {
      tally.count.refused += 1;
      throw toQuotaRefusal(violations, { model, tier, retryMs: this.#toRetryMs(violations, tally, now) });
    }
    tally.recent.push({ startedAt: now, tokens });
    tally.window.requests += 1;
    tally.window.tokens += tokens;
    const { count } = tally;
    count.accepted += 1;
    count.byDay[day] = (count.byDay[day] ?? 0) + 1;
    count.mostInWindow = Math.max(count.mostInWindow, tally.window.requests);
    count.mostTokensInWindow = Math.max(count.mostTokensInWindow, tally.window.tokens);
  }

  counts(): ProjectCount[] {
    return [...this.#tallies.values()].map(({ count }) => structuredClone(count));
  }

  /** Drops all counts. */
  clear(): void {
    this.#tallies.clear();
  }

  #findViolations(project: string, tally: Tally, day: string, tokens: number, now: number): Violation[] {
    const limits = { ...this.#settings.all, ...this.#settings.byProject[project] };
    const inMinute = this.#inMinute(tally, now);
    const violations: Violation[] = [];
    const check = (kind: Violation['kind'], limit: number | null | undefined, wouldBe: number): void => {
      if (limit !== null && limit !== undefined && wouldBe > limit) violations.push({ kind, limit: limit || null });
    };
    check('day', limits.rpd, (tally.count.byDay[day] ?? 0) + 1);
    check('minute', limits.rpm, inMinute.requests + 1);
    check('tokens', limits.tpm, inMinute.tokens + tokens);
    return violations;
  }

  #inMinute(tally: Tally, now: number): { requests: number; tokens: number } {
    if (this.#settings.minute === 'sliding') return tally.window;
    const since = now - (now % this.#settings.windowMs);
    const counted = tally.recent.filter(({ startedAt }) => startedAt >= since);
    return { requests: counted.length, tokens: counted.reduce((sum, one) => sum + one.tokens, 0) };
  }

  /** Ms until the minute has room. The refusal of a day's limit has a short delay too; the real one misleads in the same way. */
  #toRetryMs(violations: readonly Violation[], tally: Tally, now: number): number {
    const { windowMs, minute } = this.#settings;
    if (minute === 'calendar' || tally.recent[0] === undefined) return windowMs - (now % windowMs);
    if (violations.every(({ kind }) => kind === 'day')) return Math.ceil(windowMs * 0.64);
    return Math.max(1, Math.ceil(tally.recent[0].startedAt + windowMs - now));
  }

  #tally(project: string, model: string): Tally {
    const key = `${project} ${model}`;
    const known = this.#tallies.get(key);
    if (known !== undefined) return known;
    const count = { project, model, accepted: 0, refused: 0, mostInWindow: 0, mostTokensInWindow: 0, byDay: {} };
    const tally: Tally = { count, recent: [], window: { requests: 0, tokens: 0 } };
    this.#tallies.set(key, tally);
    return tally;
  }
}
