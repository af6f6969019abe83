import type { Usage } from '../../queues/usage.ts';

/** What the log of every simulated provider keeps of a request. Instants are ms on the provider's clock. */
export interface LoggedRequest {
  /** From 1, never reused. */
  index: number;
  /** Method and path. */
  endpoint: string;
  /** Null while the request's model is not known. */
  model: string | null;
  /** Hash of the first message: the same for all turns of a task. Null: the request is none of a conversation. */
  taskHash: string | null;
  /** Messages of the model already in the conversation. */
  turn: number;
  /** Names of the tools that the reply calls. */
  tools: string[];
  /** First hex digits of the key's SHA-256: they identify the key without revealing it. */
  keyHash: string | null;
  startedAt: number;
  /** Null while the request runs. */
  finishedAt: number | null;
  /** HTTP status; null where none was sent. */
  status: number | null;
  /** Kind of the fault that hit the request. */
  fault: string | null;
  /** Whether the model ran, so that the provider bills the request. */
  served: boolean;
  usage: Usage | null;
  /** By the provider's own price list. */
  billNanoUsd: number;
  /** The client closed the connection before the whole answer was sent. */
  clientGone: boolean;
}

/** What the provider bills for a number of calls. */
export interface ServedTotals {
  calls: number;
  usage: Usage;
  /** By the provider's own price list. */
  billNanoUsd: number;
}

/** Keeps the latest requests, and the totals of all served requests since the start or the last `clear`. */
export class RequestLog<Own extends object> {
  #records: (LoggedRequest & Own)[] = [];
  #byModel: Record<string, ServedTotals> = {};
  #booked = new WeakSet<LoggedRequest>(); // requests that the totals contain
  #next = 1;
  readonly #limit: number;
  readonly #createOwn: (index: number) => Own;

  /**
   * @param limit records kept; the log drops the oldest first
   * @param createOwn the provider's own fields of a new record
   */
  constructor(limit: number, createOwn: (index: number) => Own) {
    this.#limit = limit;
    this.#createOwn = createOwn;
  }

  open(endpoint: string, startedAt: number): LoggedRequest & Own {
    const record = this.#create(this.#next++, endpoint, startedAt);
    this.#records.push(record);
    if (this.#records.length > this.#limit) this.#records.shift();
    return record;
  }

  /** A record that the log does not keep, for a request that is not the provider's. Its index is 0. */
  openUnkept(endpoint: string, startedAt: number): LoggedRequest & Own {
    return this.#create(0, endpoint, startedAt);
  }

  /**
   * Ends the request. Its texts become copies: V8 keeps the whole text of which a short one was cut, and a prompt may be megabytes.
   */
  finish(record: LoggedRequest & Own, finishedAt: number): void {
    record.finishedAt = finishedAt;
    for (const [name, value] of Object.entries(record)) {
      if (typeof value === 'string') Reflect.set(record, name, copyOf(value));
    }
  }

  /**
   * Books the request as served: the provider bills it from now on, even if the answer never arrives. A second call for the
   * same request replaces what the first booked, while the answer streams.
   */
  serve(record: LoggedRequest, usage: Usage, billNanoUsd: number): void {
    const totals = (this.#byModel[record.model ?? ''] ??= emptyTotals());
    if (record.usage !== null && this.#booked.has(record)) {
      addTotals(totals, { calls: -1, usage: negate(record.usage), billNanoUsd: -record.billNanoUsd });
    }
    this.#booked.add(record);
    record.served = true;
    record.usage = usage;
    record.billNanoUsd = billNanoUsd;
    addTotals(totals, { calls: 1, usage, billNanoUsd });
  }

  records(): (LoggedRequest & Own)[] {
    return structuredClone(this.#records);
  }

  totals(): ServedTotals {
    const totals = emptyTotals();
    for (const one of Object.values(this.#byModel)) addTotals(totals, one);
    return totals;
  }

  totalsByModel(): Record<string, ServedTotals> {
    return structuredClone(this.#byModel);
  }

  /** Totals of the kept records, by a key of each. A null key is left out. */
  totalsBy(toKey: (record: LoggedRequest & Own) => string | null): Record<string, ServedTotals> {
    const totals: Record<string, ServedTotals> = {};
    for (const record of this.#records) {
      const { usage, billNanoUsd } = record;
      const key = toKey(record);
      if (key === null || usage === null) continue;
      addTotals((totals[key] ??= emptyTotals()), { calls: 1, usage, billNanoUsd });
    }
    return totals;
  }

  /** Drops records and totals. A request that runs now counts if the provider serves it later. */
  clear(): void {
    this.#records = [];
    this.#byModel = {};
    this.#booked = new WeakSet();
  }

  #create(index: number, endpoint: string, startedAt: number): LoggedRequest & Own {
    const common: LoggedRequest = {
      index,
      endpoint,
      model: null,
      taskHash: null,
      turn: 0,
      tools: [],
      keyHash: null,
      startedAt,
      finishedAt: null,
      status: null,
      fault: null,
      served: false,
      usage: null,
      billNanoUsd: 0,
      clientGone: false,
    };
    return { ...common, ...this.#createOwn(index) };
  }
}

function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

function emptyTotals(): ServedTotals {
  return { calls: 0, usage: { input: 0, cache_write: 0, cache_read: 0, output: 0 }, billNanoUsd: 0 };
}

function negate({ input, cache_write, cache_read, output }: Usage): Usage {
  return { input: -input, cache_write: -cache_write, cache_read: -cache_read, output: -output };
}

function addTotals(totals: ServedTotals, more: ServedTotals): void {
  totals.calls += more.calls;
  totals.billNanoUsd += more.billNanoUsd;
  totals.usage.input += more.usage.input;
  totals.usage.cache_write += more.usage.cache_write;
  totals.usage.cache_read += more.usage.cache_read;
  totals.usage.output += more.usage.output;
}
