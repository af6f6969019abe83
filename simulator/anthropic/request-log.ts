import type { Usage } from '../../queues/usage.ts';

/** One request as the provider saw it. */
export interface RequestRecord {
  /** From 1, never reused. */
  index: number;
  /** `req_sim_…`: another one for every request, also for the same body sent again. */
  requestId: string;
  endpoint: string;
  /** Null where the body could not be read so far. */
  model: string | null;
  /** `metadata.user_id`: the job's id. */
  user: string | null;
  /** First hex digits of the key's SHA-256: tells which key was used without holding it. */
  keyHash: string | null;
  /** Hash of the first user text: the same for every turn of a task. */
  taskHash: string | null;
  /** Hash of the whole body: the same for the same call. */
  requestHash: string | null;
  /** Assistant messages already in the conversation. */
  turn: number;
  /** Instants in ms; `finishedAt` is null while it runs. */
  startedAt: number;
  finishedAt: number | null;
  /** Null where no status was sent. */
  status: number | null;
  fault: string | null;
  /** Whether the model ran, so that the provider bills it. */
  served: boolean;
  usage: Usage | null;
  billNanoUsd: number;
  messageId: string | null;
  stopReason: string | null;
  tools: string[];
  /** The client hung up before the whole answer was sent. */
  clientGone: boolean;
}

export interface ServedTotals {
  calls: number;
  usage: Usage;
  /** By the provider's own price list, in nano-dollars. */
  billNanoUsd: number;
}

/** What the provider would bill. `byUser` covers the records still in the log; the rest covers everything since the start or the last clearing. */
export interface Served extends ServedTotals {
  byModel: Record<string, ServedTotals>;
  byUser: Record<string, ServedTotals>;
}

/** Remembers the latest requests and the totals of all. */
export class RequestLog {
  #records: RequestRecord[] = [];
  #byModel: Record<string, ServedTotals> = {};
  #next = 1;
  readonly #limit: number;

  /** @param limit records kept; the oldest go first */
  constructor(limit: number) {
    this.#limit = limit;
  }

  open(endpoint: string, startedAt: number): RequestRecord {
    const index = this.#next++;
    const record: RequestRecord = {
      index,
      requestId: `req_sim_${String(index).padStart(8, '0')}`,
      endpoint,
      model: null,
      user: null,
      keyHash: null,
      taskHash: null,
      requestHash: null,
      turn: 0,
      startedAt,
      finishedAt: null,
      status: null,
      fault: null,
      served: false,
      usage: null,
      billNanoUsd: 0,
      messageId: null,
      stopReason: null,
      tools: [],
      clientGone: false,
    };
    this.#records.push(record);
    if (this.#records.length > this.#limit) this.#records.shift();
    return record;
  }

  /** Books the record as served: from here on the provider bills it, whatever becomes of the answer. */
  serve(record: RequestRecord, usage: Usage, billNanoUsd: number): void {
    Object.assign(record, { served: true, usage, billNanoUsd });
    addTo((this.#byModel[record.model ?? ''] ??= emptyTotals()), record);
  }

  records(): RequestRecord[] {
    return structuredClone(this.#records);
  }

  served(): Served {
    const totals = emptyTotals();
    for (const one of Object.values(this.#byModel)) addTotals(totals, one);
    const byUser: Record<string, ServedTotals> = {};
    for (const record of this.#records) {
      if (record.served && record.user !== null) addTo((byUser[record.user] ??= emptyTotals()), record);
    }
    return { ...totals, byModel: structuredClone(this.#byModel), byUser };
  }

  /** Forgets records and totals; requests that run now are not counted later. */
  clear(): void {
    this.#records = [];
    this.#byModel = {};
  }
}

function emptyTotals(): ServedTotals {
  return { calls: 0, usage: { input: 0, cache_write: 0, cache_read: 0, output: 0 }, billNanoUsd: 0 };
}

function addTo(totals: ServedTotals, record: RequestRecord): void {
  if (record.usage === null) return;
  addTotals(totals, { calls: 1, usage: record.usage, billNanoUsd: record.billNanoUsd });
}

function addTotals(totals: ServedTotals, more: ServedTotals): void {
  totals.calls += more.calls;
  totals.billNanoUsd += more.billNanoUsd;
  totals.usage.input += more.usage.input;
  totals.usage.cache_write += more.usage.cache_write;
  totals.usage.cache_read += more.usage.cache_read;
  totals.usage.output += more.usage.output;
}
