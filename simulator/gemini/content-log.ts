import type { Usage } from '../../queues/usage.ts';

/** One request as the provider saw it. Instants are the simulated clock's. */
export interface ContentRecord {
  /** From 1, never reused. */
  index: number;
  endpoint: string;
  model: string | null;
  /** The project of the key. */
  project: string | null;
  /** First hex digits of the key's SHA-256: tells which key was used without holding it. */
  keyHash: string | null;
  /** Hash of the whole prompt: the same prompt sent again has the same. */
  promptHash: string | null;
  /** The first 200 characters of the question, where one was asked. */
  question: string | null;
  startedAt: number;
  /** Null while it runs. */
  finishedAt: number | null;
  /** Null where no status was sent. */
  status: number | null;
  fault: string | null;
  /** Whether the model ran, so that the provider counts and bills it. */
  served: boolean;
  usage: Usage | null;
  /** By the paid tier's price list. */
  billNanoUsd: number;
  finishReason: string | null;
  /** The client hung up before the whole answer was sent. */
  clientGone: boolean;
}

/** What was served since the start or the last clearing. */
export interface ContentTotals {
  calls: number;
  usage: Usage;
  billNanoUsd: number;
}

/** Remembers the latest requests and the totals of all. */
export class ContentLog {
  #records: ContentRecord[] = [];
  #totals = emptyTotals();
  #next = 1;
  readonly #limit: number;

  /** @param limit records kept; the oldest go first */
  constructor(limit: number) {
    this.#limit = limit;
  }

  open(endpoint: string, startedAt: number): ContentRecord {
    const record: ContentRecord = {
      index: this.#next++,
      endpoint,
      model: null,
      project: null,
      keyHash: null,
      promptHash: null,
      question: null,
      startedAt,
      finishedAt: null,
      status: null,
      fault: null,
      served: false,
      usage: null,
      billNanoUsd: 0,
      finishReason: null,
      clientGone: false,
    };
    this.#records.push(record);
    if (this.#records.length > this.#limit) this.#records.shift();
    return record;
  }

  /** Books the record as served: from here on the provider bills it, whatever becomes of the answer. */
  serve(record: ContentRecord, usage: Usage, billNanoUsd: number): void {
    Object.assign(record, { served: true, usage, billNanoUsd });
    this.#totals.calls += 1;
    this.#totals.billNanoUsd += billNanoUsd;
    this.#totals.usage.input += usage.input;
    this.#totals.usage.cache_read += usage.cache_read;
    this.#totals.usage.output += usage.output;
  }

  records(): ContentRecord[] {
    return structuredClone(this.#records);
  }

  served(): ContentTotals {
    return structuredClone(this.#totals);
  }

  clear(): void {
    this.#records = [];
    this.#totals = emptyTotals();
  }
}

function emptyTotals(): ContentTotals {
  return { calls: 0, usage: { input: 0, cache_write: 0, cache_read: 0, output: 0 }, billNanoUsd: 0 };
}
