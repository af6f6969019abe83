import { expect, test } from 'vitest';
import { ModelCoolingError, ShutdownError } from '../../../src/errors.ts';
import type { PaceExchange } from '../../../src/pacing/exchange.ts';
import type { Pacer, PaceWait, Permit } from '../../../src/pacing/types.ts';
import type { ModelLimits } from '../../../src/models/model.ts';
import { createVirtualPacer, MODEL, PACE_NAME } from '../../support/pacing/virtual-pacer.ts';
import { VirtualTime } from '../../support/pacing/virtual-time.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const USAGE = { input: 1_000, cache_write: 0, cache_read: 0, output: 400 };

/** How a wait for a call ended. */
interface Asked {
  permit: Permit | null | undefined;
  error: unknown;
  /** Since the beginning of the test, ms; -1: it waits. */
  at: number;
}

function setUp() {
  const time = new VirtualTime();
  const beganAt = time.now;
  const pacers: Pacer[] = [];
  redis.cleanup(async () => Promise.all([...pacers.map((pacer) => pacer.close()), time.pass(5_000)]));
  return {
    time,
    process(wrap?: (exchange: PaceExchange) => PaceExchange): Pacer {
      const pacer = createVirtualPacer(redis.db, time, wrap);
      pacers.push(pacer);
      return pacer;
    },
    ask(pacer: Pacer, { begun = true, ...wait }: Partial<PaceWait> & { begun?: boolean } = {}): Asked {
      const asked: Asked = { permit: undefined, error: undefined, at: -1 };
      const ask = { model: MODEL, inputTokens: 1_000, outputTokens: 8_000, begun };
      const settle = (of: Partial<Asked>): void => void Object.assign(asked, of, { at: time.now - beganAt });
      const run = pacer.enter({ isCounted: true });
      const now = run.admitNow(ask);
      if (now !== null) settle({ permit: now });
      else
        run.admit(ask, { signal: new AbortController().signal, isDraining: () => false, ...wait }).then(
          (permit) => settle({ permit }),
          (error: unknown) => settle({ error }),
        );
      return asked;
    },
  };
}

function stated(remaining: number, limit = 60): ModelLimits {
  const of = (factor: number) => ({ limit: limit * factor, remaining: remaining * factor, resetAt: 0 });
  return { requests: of(1), inputTokens: of(1_003), outputTokens: of(403) };
}

/** Makes one call, so that the limits are known: a call a second, with room for so many. */
async function learn({ time, ask }: ReturnType<typeof setUp>, pacer: Pacer, remaining = 0): Promise<void> {
  const first = ask(pacer);
  await time.pass(1_000);
  first.permit?.onLimits(stated(remaining));
  first.permit?.ended(USAGE);
  await time.pass(200);
}

test('a refusal that one process sees holds back all of them for as long as the provider says', async () => {
  const { time, process, ask } = setUp();
  const [one, two] = [process(), process()];
  const refused = ask(one);
  await time.pass(1_000);
  refused.permit?.refused(7_000);
  await time.pass(100);
  const [mine, theirs] = [ask(one), ask(two)];
  await time.pass(7_500);
  for (const { permit } of [mine, theirs]) permit?.ended(USAGE);
  await time.pass(1_000);

  expect(Math.min(mine.at, theirs.at)).toBeGreaterThanOrEqual(8_000);
  expect(Math.max(mine.at, theirs.at)).toBeLessThan(9_700);
  expect(await redis.redis.hget(redis.keys.counters, 'waits_rate_limit')).toBe('1');
});

test('refusals in a row without a usable wait hold for one second, two, four …', async () => {
  const { time, process, ask } = setUp();
  const one = process();
  const waits: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const asked = ask(one);
    const askedAt = time.now;
    await time.pass(10_000);
    waits.push(Math.round((asked.at - (askedAt - 1_000_000)) / 1_000));
    asked.permit?.refused(0);
    await time.pass(1);
  }
  const served = ask(one);
  await time.pass(20_000);
  served.permit?.ended(USAGE);
  await time.pass(200);
  const again = ask(one);
  await time.pass(1);
  again.permit?.refused(0);
  await time.pass(1);
  const after = ask(one);
  const askedAt = time.now;
  await time.pass(5_000);

  expect(waits).toEqual([0, 1, 2, 4]);
  expect(after.at - (askedAt - 1_000_000)).toBeLessThan(1_100); // a served call ends the row
});

test('the headers of a refusal begin no further calls before the refusal itself is reported', async () => {
  const { time, process, ask } = setUp();
  const one = process();
  const asked = Array.from({ length: 20 }, () => ask(one));
  await time.pass(100);
  const begun = (): number => asked.filter(({ permit }) => permit !== undefined).length;
  const before = begun();
  asked[0]?.permit?.onLimits({ ...stated(1_000, 1_000), isRefusal: true });
  await time.pass(900);
  expect([before, begun()]).toEqual([1, 1]);
});

test('refused again after the wait, one call at a time asks until one is served', async () => {
  const { time, process, ask } = setUp();
  const one = process();
  const first = ask(one);
  await time.pass(100);
  first.permit?.ended(USAGE); // without limits in its headers
  await time.pass(200);
  const asked = Array.from({ length: 100 }, () => ask(one));
  await time.pass(1);
  const perRound: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const underWay = asked.filter(({ permit }) => permit !== undefined);
    perRound.push(underWay.length);
    for (const { permit } of underWay) permit?.refused(0);
    for (const each of underWay) asked.splice(asked.indexOf(each), 1);
    await time.pass(1_000 * 2 ** round + 500);
  }
  const [atFirst = 0] = perRound;
  expect(atFirst).toBeGreaterThan(60);
  expect(perRound.slice(1)).toEqual([Math.floor(atFirst / 2), 1]);
});

test('a begun task comes before fresh ones that wait longer, also of another process', async () => {
  const setup = setUp();
  const { time, process, ask } = setup;
  const [one, two] = [process(), process()];
  await learn(setup, one);
  const fresh = Array.from({ length: 5 }, () => ask(one, { begun: false }));
  await time.pass(300);
  const begun = [ask(two), ask(two)];
  await time.pass(60_000);

  const last = Math.max(...begun.map(({ at }) => at));
  expect(last).toBeGreaterThan(0);
  expect(fresh.filter(({ at }) => at >= 0 && at < last)).toEqual([]);
});

test('no more fresh tasks begin than the limits carry', async () => {
  const setup = setUp();
  const { time, process, ask } = setup;
  const one = process();
  await learn(setup, one, 30);
  const fresh = Array.from({ length: 40 }, () => ask(one, { begun: false }));
  await time.pass(900);

  const begun = fresh.filter(({ permit }) => permit !== undefined).length;
  expect(begun).toBeGreaterThan(0);
  expect(begun).toBeLessThan(6); // calls of a second, one a second, and 30 to use up within half a minute
});

test('a process that is gone holds nobody back, and its calls are forgotten', async () => {
  const setup = setUp();
  const { time, process, ask } = setup;
  let isDead = false;
  const never = new Promise<never>(() => undefined);
  const dying = process((exchange) => (report) => (isDead ? never : exchange(report)));
  const other = process();
  await learn(setup, other);
  ask(dying);
  ask(dying);
  await time.pass(10);
  isDead = true;
  const fresh = ask(other, { begun: false });
  await time.pass(20_000);

  expect(fresh.at).toBeGreaterThan(0);
  expect(fresh.at).toBeLessThan(8_000);
});

test('without limits in its answers a provider gets as many calls as there are, almost without asking Redis', async () => {
  const { time, process, ask } = setUp();
  let exchanges = 0;
  const one = process((exchange) => (report) => {
    exchanges += 1;
    return exchange(report);
  });
  let calls = 0;
  const slot = async (): Promise<void> => {
    while (time.now < 1_010_000) {
      const asked = ask(one);
      while (asked.at < 0) await time.sleep(5);
      await time.sleep(20);
      asked.permit?.ended(USAGE);
      calls += 1;
    }
  };
  for (let i = 0; i < 50; i += 1) void slot();
  await time.pass(11_000);

  expect(calls).toBeGreaterThan(15_000);
  expect(exchanges).toBeLessThan(calls / 50);
});

test('a start is slow: one call, until the first answer says what the limits are', async () => {
  const { time, process, ask } = setUp();
  const one = process();
  const asked = Array.from({ length: 20 }, () => ask(one));
  await time.pass(4_000);
  expect(asked.filter(({ permit }) => permit !== undefined)).toHaveLength(1);

  asked[0]?.permit?.onLimits(stated(900, 1_000));
  await time.pass(500);
  expect(asked.filter(({ permit }) => permit !== undefined)).toHaveLength(20);
});

test('first calls that get no answer do not hold back all others for ever', async () => {
  const { time, process, ask } = setUp();
  const one = process();
  const asked = Array.from({ length: 20 }, () => ask(one));
  await time.pass(30_000);
  expect(asked.filter(({ permit }) => permit !== undefined)).toHaveLength(20);
});

test('an exchange that is sent again after its connection broke has the same answer and takes nothing twice', async () => {
  const setup = setUp();
  const { time, process, ask } = setup;
  const one = process((exchange) => async (report) => {
    await exchange(report);
    return exchange(report);
  });
  await learn(setup, one, 10);
  const level = async (): Promise<number> =>
    (JSON.parse((await redis.redis.get(redis.keys.pace(PACE_NAME))) ?? '{}') as { requests: { level: number } })
      .requests.level;
  const before = await level();
  const asked = ask(one);
  await time.pass(0);

  expect(asked.permit).toBeDefined();
  expect(before - (await level())).toBeCloseTo(1, 0);
});

test('while the fleet is halted nobody waits: the step that reserves the money refuses', async () => {
  const setup = setUp();
  const { time, process, ask } = setup;
  const one = process();
  await learn(setup, one);
  const asked = Array.from({ length: 10 }, () => ask(one));
  await redis.redis.set(redis.keys.haltReason, 'maintenance');
  await time.pass(1_100);

  expect(asked.every(({ permit }) => permit !== undefined)).toBe(true);
});

test('a fresh task leaves its slot after a minute, a begun one stays', async () => {
  const setup = setUp();
  const { time, process, ask } = setup;
  const one = process();
  await learn(setup, one);
  const fresh = ask(one, { begun: false });
  const begun = Array.from({ length: 100 }, () => ask(one));
  await time.pass(65_000);

  expect(fresh.error).toBeInstanceOf(ModelCoolingError);
  expect(fresh.at).toBeLessThan(63_000);
  expect(begun.filter(({ error }) => error !== undefined)).toEqual([]);
});

test('a wait of more than a minute that the provider names sends all of them away', async () => {
  const { time, process, ask } = setUp();
  const one = process();
  const refused = ask(one);
  await time.pass(10);
  const begun = ask(one);
  const third = ask(one);
  refused.permit?.refused(90_000);
  begun.permit?.giveBack();
  await time.pass(100);

  expect(third.error).toBeInstanceOf(ModelCoolingError);
  expect((third.error as ModelCoolingError).delayMs).toBeGreaterThan(89_000);
});

test('a wait ends with the process, with the run, and where the call is not needed', async () => {
  const setup = setUp();
  const { time, process, ask } = setup;
  const one = process();
  await learn(setup, one, -20);
  const aborted = new AbortController();
  const [draining, stopped, unneeded, failing] = [
    ask(one, { isDraining: () => true }),
    ask(one, { signal: aborted.signal }),
    ask(one, { isNeeded: async () => false }),
    ask(one, { isNeeded: async () => Promise.reject(new Error('lock lost')) }),
  ];
  aborted.abort(new Error('cancelled'));
  await time.pass(1_100);

  expect(draining.error).toBeInstanceOf(ShutdownError);
  expect(stopped.error).toEqual(new Error('cancelled'));
  expect(unneeded.permit).toBeNull();
  expect(failing.error).toEqual(new Error('lock lost'));
});
