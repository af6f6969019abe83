import type { Usage } from '../../queues/usage.ts';
import type { Model, ModelLimits } from '../models/model.ts';
import type { ModelPace } from './model-pace.ts';
import type { PaceAsk, PaceWait, Permit, RunOptions, RunPace } from './types.ts';

/** A run between two calls counts as begun so long: one whose tool takes longer leaves its place to another. */
const PAUSE_MS = 3_000;

/** The permit of a call that nothing limits. */
const UNLIMITED: Permit = { onLimits() {}, ended() {}, refused() {}, failed() {}, giveBack() {} };

/** What the runs of one process share. */
export interface RunParts {
  now(): number;
  /** Null: nothing limits the model. */
  modelPace(model: string): ModelPace | null;
  /** The runs whose jobs have begun. */
  counted: Set<PacedRun>;
}

/** The calls of one run of one job, and the permit of the last one. */
export class PacedRun implements RunPace, Permit {
  readonly #parts: RunParts;
  readonly #options: RunOptions;
  readonly #enteredAt: number;
  #permit: Permit | null = null;
  #calls = 0; // with a reply
  #model = '';
  #endedAt: number | null = null; // of the last call, by the clock; null: it is under way, or the next one waits

  constructor(parts: RunParts, options: RunOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#enteredAt = parts.now();
  }

  /** Whether it makes calls of this model now, or did so just before. */
  isOpen(model: string, now: number): boolean {
    return this.#model === model && (this.#endedAt === null || now - this.#endedAt < PAUSE_MS);
  }

  admitNow(ask: PaceAsk): Permit | null {
    const pace = this.#paceOf(ask);
    const permit = pace === null ? UNLIMITED : pace.admitNow(ask);
    return permit === null ? null : this.#begin(ask, permit);
  }

  async admit(ask: PaceAsk, wait: PaceWait): Promise<Permit | null> {
    const since = ask.begun ? this.#enteredAt : this.#parts.now();
    const pace = this.#paceOf(ask);
    const permit = pace === null ? UNLIMITED : await pace.admit(ask, wait, since);
    return permit === null ? null : this.#begin(ask, permit);
  }

  watch(model: Model): Model {
    const onLimits = (limits: ModelLimits): void => this.onLimits(limits);
    return { ...model, call: (request, options) => model.call(request, { ...options, onLimits }) };
  }

  async note(line: string): Promise<void> {
    await this.#options.note?.(`${new Date().toISOString()} ${line}`);
  }

  leave(): void {
    if (this.#parts.counted.delete(this) && this.#calls > 0) this.#parts.modelPace(this.#model)?.noteLeft(this.#calls);
  }

  onLimits(limits: ModelLimits): void {
    this.#permit?.onLimits(limits);
  }

  ended(usage: Usage): void {
    this.#calls += 1;
    this.#endedAt = this.#parts.now();
    this.#permit?.ended(usage);
  }

  refused(retryAfterMs: number): void {
    this.#endedAt = this.#parts.now();
    this.#permit?.refused(retryAfterMs);
  }

  failed(isFree: boolean): void {
    this.#endedAt = this.#parts.now();
    this.#permit?.failed(isFree);
  }

  giveBack(): void {
    this.#endedAt = this.#parts.now();
    this.#permit?.giveBack();
  }

  #paceOf({ model, begun }: PaceAsk): ModelPace | null {
    if (!begun) this.#parts.counted.delete(this); // refused at its first call, it has not begun: it must not hold itself back
    const pace = this.#parts.modelPace(model);
    if (this.#endedAt !== null && this.#model === model) pace?.notePause(this.#parts.now() - this.#endedAt);
    this.#endedAt = null;
    return pace;
  }

  #begin({ model }: PaceAsk, permit: Permit): Permit {
    this.#model = model;
    this.#permit = permit;
    if (this.#options.isCounted) this.#parts.counted.add(this);
    return this;
  }
}
