import { expect, test } from 'vitest';
import type { PaceExchange } from '../../../src/pacing/exchange.ts';
import type { PacedRow, Pacer, Permit } from '../../../src/pacing/types.ts';
import { createVirtualPacer, MODEL } from '../../support/pacing/virtual-pacer.ts';
import { VirtualTime } from '../../support/pacing/virtual-time.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const MINUTE_MS = 60_000;
const usage = (input: number, output: number, read = 0) => ({ input, cache_write: 0, cache_read: read, output });

/** Processes whose slots call one model without a pause. The provider states no limits. */
class Callers {
  readonly time = new VirtualTime();
  /** Instants at which calls began, with their sizes. */
  readonly begun: { at: number; input: number; output: number }[] = [];
  atOnce = 0;
  most = 0;
  latencyMs = 2_000;
  sizes = { input: 1_000, read: 0, output: 200 };
  readonly #pacers: Pacer[] = [];
  #isOver = false;

  constructor() {
    redis.cleanup(() => this.close());
  }

  open(row: PacedRow, slots: number, wrap?: (exchange: PaceExchange) => PaceExchange): Pacer {
    const pacer = createVirtualPacer(redis.db, this.time, wrap, row);
    this.#pacers.push(pacer);
    for (let i = 0; i < slots; i += 1) void this.#call(pacer);
    return pacer;
  }

  /** The most of something that any span of a minute has. */
  mostInAMinute(of: (call: { input: number; output: number }) => number): number {
    const sums = this.begun.map((from, i) => {
      const inside = this.begun.slice(i).filter(({ at }) => at - from.at < MINUTE_MS);
      return inside.reduce((sum, call) => sum + of(call), 0);
    });
    return Math.max(...sums);
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#pacers.map((pacer) => pacer.close()), this.time.pass(20_000)]);
  }

  async #call(pacer: Pacer): Promise<void> {
    const ask = { model: MODEL, inputTokens: 2_000, outputTokens: 8_000, begun: true };
    const run = pacer.enter({ isCounted: true });
    while (!this.#isOver) {
      const wait = { signal: new AbortController().signal, isDraining: () => this.#isOver };
      let permit: Permit | null;
      try {
        permit = run.admitNow(ask) ?? (await run.admit(ask, wait));
      } catch {
        return; // closed
      }
      const { input, read, output } = this.sizes;
      this.begun.push({ at: this.time.now, input: input + read, output });
      this.atOnce += 1;
      this.most = Math.max(this.most, this.atOnce);
      await this.time.sleep(this.latencyMs);
      this.atOnce -= 1;
      permit?.ended(usage(input, output, read));
    }
  }
}

test('no minute has more calls than a row allows, over all processes, and they are used', async () => {
  const callers = new Callers();
  for (let i = 0; i < 2; i += 1) callers.open({ limits: { rpm: 30 } }, 10);
  await callers.time.pass(2 * MINUTE_MS);

  expect(callers.mostInAMinute(() => 1)).toBeLessThanOrEqual(30);
  expect(callers.begun.length).toBeGreaterThanOrEqual(0.8 * 2 * 30);
});

test.each([1, 5])('no minute has more than %d calls', async (rpm) => {
  const callers = new Callers();
  callers.open({ limits: { rpm } }, 3);
  await callers.time.pass(3 * MINUTE_MS);

  expect(callers.mostInAMinute(() => 1)).toBeLessThanOrEqual(rpm);
  expect(callers.begun.length).toBeGreaterThanOrEqual(2 * rpm);
});

test('tokens of prompts and replies keep to the row, cached ones too where the vendor counts them', async () => {
  const callers = new Callers();
  callers.sizes = { input: 500, read: 500, output: 400 };
  callers.open({ limits: { itpm: 30_000, otpm: 20_000 }, countsCacheReads: true }, 10);
  await callers.time.pass(2 * MINUTE_MS);

  expect(callers.mostInAMinute(({ input }) => input)).toBeLessThanOrEqual(31_000); // the first prompts are only bounded
  expect(callers.mostInAMinute(({ output }) => output)).toBeLessThanOrEqual(20_000);
  const used = callers.begun.reduce((sum, { input }) => sum + input, 0);
  expect(used).toBeGreaterThanOrEqual(0.7 * 2 * 30_000);
});

test('a row bounds the calls at once over all processes', async () => {
  const callers = new Callers();
  for (let i = 0; i < 3; i += 1) callers.open({ limits: { concurrent: 4 } }, 8);
  await callers.time.pass(MINUTE_MS);

  expect(callers.most).toBe(4);
  expect(callers.begun.length).toBeGreaterThanOrEqual(0.8 * 4 * 30); // calls of two seconds
});

test('a killed process gives its calls at once back after its lease', async () => {
  const callers = new Callers();
  callers.latencyMs = 1_000_000; // its calls never end
  let isDead = false;
  const never = new Promise<never>(() => undefined);
  callers.open({ limits: { concurrent: 2 } }, 2, (exchange) => (report) => (isDead ? never : exchange(report)));
  await callers.time.pass(12_000); // the second call begins once the provider seems slow
  expect(callers.begun).toHaveLength(2);
  isDead = true;
  callers.latencyMs = 1_000;
  const killedAt = callers.time.now;
  callers.open({ limits: { concurrent: 2 } }, 2);
  await callers.time.pass(2_000);
  expect(callers.begun).toHaveLength(2);
  await callers.time.pass(20_000);

  const next = callers.begun[2];
  expect(next?.at).toBeGreaterThan(killedAt + 5_000);
  expect(next?.at).toBeLessThan(killedAt + 17_000);
});

test('a row that no process has any more limits nothing, and one process with it limits all', async () => {
  const callers = new Callers();
  callers.latencyMs = 100;
  const limited = callers.open({ limits: { concurrent: 1 } }, 1);
  callers.open({}, 5);
  await callers.time.pass(5_000);
  expect(callers.most).toBe(1);
  await limited.close();
  await callers.time.pass(5_000);
  expect(callers.most).toBe(5);
});

test('calls of a row without limits ask Redis as seldom as before', async () => {
  const callers = new Callers();
  callers.latencyMs = 20;
  let exchanges = 0;
  callers.open({}, 50, (exchange) => (report) => {
    exchanges += 1;
    expect(report).not.toHaveProperty('own');
    return exchange(report);
  });
  await callers.time.pass(10_000);

  expect(callers.begun.length).toBeGreaterThan(15_000);
  expect(exchanges).toBeLessThan(callers.begun.length / 50);
});
