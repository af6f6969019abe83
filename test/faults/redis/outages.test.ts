import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startLanes } from '../../support/fleet/three-lanes.ts';
import { plainEnvironment, startFleet } from '../../support/process/fleet-command.ts';
import { readBooks } from '../../support/redis/books.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { startTcpLink } from '../../support/redis/tcp-link.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

/** The long form: `FLEET_TEST_OUTAGE_S=90`. */
const OUTAGE_MS = Number(process.env['FLEET_TEST_OUTAGE_S'] ?? 5) * 1_000;
const RESTARTS = OUTAGE_MS > 10_000 ? 20 : 3;
/** Each wait of a test allows for a busy machine; what it measures is printed. */
const SLACK_MS = 60_000;

const redis = useRedis({ appendOnly: true, leakGuard: false });

/** A death of Redis loses what it had not written to disk, and that is paid again: here it writes each command. */
const writeAll = (): Promise<unknown> => redis.redis.config('SET', 'appendfsync', 'always');

async function restart(): Promise<void> {
  await redis.start();
  await writeAll();
}

test(
  'no process ends, and all who wait get each end once, over a black hole, a freeze and deaths of Redis',
  { timeout: 4 * OUTAGE_MS + 240_000 },
  async () => {
    await writeAll();
    const link = await startTcpLink(redis.port);
    redis.cleanup(() => link.close());
    const REDIS_URL = `${link.url}?silenceMs=2000`;
    const lanes = await startLanes(redis, { REDIS_URL });
    const { fleet, workers } = lanes;
    const followed: string[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const finding of fleet.findings.follow({ signal: stop.signal })) followed.push(finding.finding_id);
    })();

    const outages: [string, () => Promise<void>, () => Promise<void>][] = [
      ['a black hole', async () => link.freeze(), async () => link.thaw()],
      [
        'a frozen server',
        async () => void process.kill(redis.pid, 'SIGSTOP'),
        async () => void process.kill(redis.pid, 'SIGCONT'),
      ],
      ['a dead server', () => redis.kill(), restart],
    ];
    let done = 0;
    for (const [what, begin, end] of outages) {
      // Of the time of the outage: a task that runs, one that waits, a command that waits, a batch.
      const handles = [];
      for (let i = 0; i < 12; i += 1) handles.push(await fleet.tasks.add({ description: `Say ${i} [[turns:2]]` }));
      const ends: string[] = [];
      const waiting = handles.map(async (handle) => {
        await handle.finding({ timeoutMs: OUTAGE_MS + SLACK_MS });
        ends.push(handle.id);
      });
      const env = plainEnvironment(swarmEnvironment(redis, { REDIS_URL }));
      const command = startFleet(['task', `Say hello [[turns:3]] [[latency:1500]]`, '--wait'], env);
      await waitUntil(() => /enqueued/i.test(command.output()), { what: 'the command that waits' });
      await begin();
      await sleep(OUTAGE_MS); // the fault itself
      await end();
      const since = performance.now();
      const first = await waitUntil(() => fleet.tasks.add({ description: 'First [[turns:1]]' }).catch(() => null), {
        timeoutMs: SLACK_MS,
      });
      const accepts = Math.round(performance.now() - since);
      await first?.finding({ timeoutMs: SLACK_MS });
      const works = Math.round(performance.now() - since);
      await Promise.all(waiting);
      expect(ends.toSorted()).toEqual(handles.map(({ id }) => id).toSorted());
      const result = await command.done;
      expect(result.code, result.stderr).toBe(0);
      done += 14;
      console.log(`${what} of ${OUTAGE_MS / 1_000} s: accepts after ${accepts} ms, works after ${works} ms`);
      expect(workers.filter((worker) => worker.hasEnded()).map(({ id }) => id)).toEqual([]);
    }

    const batch = await fleet.tasks.addMany(
      Array.from({ length: 8 * RESTARTS }, (_, i) => ({ description: `Say ${i} [[turns:2]]` })),
      { batch: 'restarts' },
    );
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { id, state } of fleet.tasks.ends(batch.ids ?? [], { timeoutMs: OUTAGE_MS + 2 * SLACK_MS }))
        seen.push(`${id} ${state}`);
    })();
    for (let i = 0; i < RESTARTS; i += 1) {
      await redis.kill();
      await restart();
      await sleep(700); // the work between two deaths
    }
    await reading;
    done += batch.ids?.length ?? 0;
    expect(seen.toSorted()).toEqual((batch.ids ?? []).map((id) => `${id} completed`).toSorted());

    await waitUntil(() => followed.length >= done, { timeoutMs: SLACK_MS, what: 'each finding that is followed' });
    stop.abort();
    await following;
    expect(new Set(followed).size).toBe(followed.length);
    expect(workers.filter((worker) => worker.hasEnded()).map(({ id }) => id)).toEqual([]);
    const books = await readBooks(redis);
    expect(books).toMatchObject({ reserved: 0, openReservations: 0, uncertainCalls: 0 });
    expect(books.settled).toBe(fleet.simulator.served().billNanoUsd);
  },
);
