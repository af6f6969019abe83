import { expect, it, test } from 'vitest';
import { createFindingStore } from '../../../src/findings/store.ts';
import { createTaskHandler } from '../../../src/haiku/handler.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { Booking, TurnLedger } from '../../../src/ledger/types.ts';
import { tasksQueue } from '../../../queues/tasks.ts';
import { createAnthropicModel } from '../../../src/models/anthropic/adapter.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { createThinkingModel } from '../../support/models/thinking-model.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import type { Step } from '../../support/models/scripted-model.ts';

const redis = useRedis();
const MODEL = 'claude-haiku-5-5';
const GROUP = `${MODEL}||plain`;
const FULL = 32_000;
const MORE = 64_000;

/** As if a thousand replies were known, of which none was too long for the rooms from this place on. */
const know = (place: number): Promise<number> =>
  redis.redis.hset(
    redis.keys.replySizes,
    GROUP,
    `1000,${[-1, -1, -1, 0, 1, 2].map((i) => (i < place ? 500 : 0)).join(',')}|x`,
  );

const LOOK: Step = { tools: [{ name: 'findings', input: { action: 'search', query: 'tea' } }] };
const CUT: Step = { text: 'half', stopReason: 'max_tokens' };

it.each([
  ['the room that fits the replies of this model', 0, 4_096],
  ['a larger one where some were longer', 2, 16_384],
  ['the full one where many were longer', 3, FULL],
])('gives a task %s', async (_, place, room) => {
  await know(place);
  const model = createThinkingModel(() => 'tea');
  const fleet = await useFleet(redis, { haiku: model });
  await (await fleet.tasks.add({ description: 'Say tea' })).finding({ timeoutMs: 10_000 });
  expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([room]);
});

test('a task whose reply was cut keeps the full room', async () => {
  await know(0);
  const steps = [LOOK, CUT, LOOK, LOOK, 'tea'];
  const model = createThinkingModel((_, call) => steps[call - 1] ?? 'tea');
  const fleet = await useFleet(redis, { haiku: model });
  await (await fleet.tasks.add({ description: 'Write about tea' })).finding({ timeoutMs: 10_000 });
  expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([4_096, 4_096, MORE, FULL, FULL]);
});

test('a memory of another type is begun anew, and no task fails for it', async () => {
  await redis.redis.set(redis.keys.replySizes, 'no hash');
  const model = createThinkingModel(() => 'tea');
  const fleet = await useFleet(redis, { haiku: model });
  await (await fleet.tasks.add({ description: 'Say tea' })).finding({ timeoutMs: 10_000 });
  expect(model.calls.map(({ maxTokens }) => maxTokens)).toEqual([FULL]);
});

test('no bill passes its reservation, whatever the room and the reply are, and every long reply arrives', async () => {
  const random = createRandom(takeSeed('rooms and replies'));
  const { simulator, inner } = await useSimulatedFleet(redis, { workers: 0 });
  const { db, config } = inner;
  const { ledger, bookings } = watchLedger(createTurnLedger({ db, workerId: 'w' }));
  const model = createAnthropicModel({
    apiKey: 'local-test-key',
    baseUrl: simulator.url,
    idleMs: 20_000,
    totalMs: 20_000,
  });
  const lengths = Array.from({ length: 30 }, () => random(50, 14_000));
  for (const [i, tokens] of lengths.entries()) {
    await know(random(0, 3));
    const findings = createFindingStore(db);
    const currentSession = async (): Promise<string> => 's';
    const handle = createTaskHandler({
      config,
      db,
      model,
      ledger,
      pacer: null,
      findings,
      workerId: 'w',
      currentSession,
    });
    const task = tasksQueue.data.parse({ description: `Say it [[turns:${random(1, 3)}]] [[tokens:${tokens}]]` });
    const signal = new AbortController().signal;
    const { finding } = await handle(task, { token: '', jobId: `t-${i}`, attempt: 0, signal, isDraining: () => false });
    expect(finding.status).toBe('completed');
  }
  expect(simulator.requests().filter(({ stopReason }) => stopReason === 'max_tokens').length).toBeGreaterThan(0);
  expect(bookings.length).toBe(simulator.requests().length);
  for (const { nanoUsd, worst } of bookings) expect(nanoUsd).toBeLessThanOrEqual(worst);
  const { settled, uncertain, reserved } = await readBooks(redis);
  expect({ settled, uncertain, reserved }).toEqual({
    settled: simulator.served().billNanoUsd,
    uncertain: 0,
    reserved: 0,
  });
});

/** Keeps what each call was booked at, beside what was reserved for it. */
function watchLedger(ledger: TurnLedger): { ledger: TurnLedger; bookings: { nanoUsd: number; worst: number }[] } {
  const worsts = new Map<string, number>();
  const bookings: { nanoUsd: number; worst: number }[] = [];
  const note = (booking: Booking | null): void => {
    if (booking === null) return;
    bookings.push({ nanoUsd: booking.nanoUsd, worst: worsts.get(booking.reservation) ?? -1 });
  };
  const watched: TurnLedger = {
    ...ledger,
    async begin(task, request) {
      const answer = await ledger.begin(task, request);
      if (answer.kind === 'reserved') worsts.set(answer.reservation, request.worstNanoUsd);
      return answer;
    },
    settle: (task, turn, booking, ...rest) => (note(booking), ledger.settle(task, turn, booking, ...rest)),
    finish: (task, finding, booking, turnNote) => (note(booking), ledger.finish(task, finding, booking, turnNote)),
  };
  return { ledger: watched, bookings };
}
