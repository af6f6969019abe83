import { expect, it } from 'vitest';
import { openFleet, type OpenFleet } from '../../../src/api/open-fleet.ts';
import { readMission, readMissionFields } from '../../../src/coordinator/mission/record.ts';
import { testConfig } from '../../support/fleet/test-config.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const PLAN = {
  approach: 'look',
  tasks: ['a', 'b'].map((id) => ({ id, description: `Look at ${id}`, kind: 'other', model: 'haiku', depends_on: [] })),
};
/** A job that waits for a person. */
const TEN_YEARS_MS = 10 * 365 * 24 * 3600_000;

/** Opens a client whose process dies after so many commands: it sends no other, and gets no answer. */
async function openMortal(
  commands: number,
): Promise<{ fleet: OpenFleet; death: Promise<void>; close(): Promise<void> }> {
  const fleet = await openFleet(testConfig(redis));
  const connection = fleet.inner.db.redis;
  const send = connection.sendCommand.bind(connection);
  let sent = 0;
  const death = new Promise<void>((die) => {
    connection.sendCommand = (command, stream) => {
      sent += 1;
      if (sent <= commands) return send(command, stream);
      die();
      return new Promise(() => undefined);
    };
  });
  const close = (): Promise<void> => {
    connection.sendCommand = send;
    return fleet.close();
  };
  return { fleet, death, close };
}

/** What a coordinator left: a record, and a job that waits for a person. */
async function leave({ inner: { db, queues } }: OpenFleet, id: string, fields: Record<string, string>): Promise<void> {
  const given = { goal: 'Find out.', approve: true, dry_run: true, session: 's' };
  const record = {
    goal: 'Find out.',
    session: 's',
    input: JSON.stringify(given),
    createdAt: '2026-11-20T10:00:00.000Z',
  };
  await db.redis.hset(db.keys.mission(id), { ...record, ...fields });
  await queues.missions.add('mission', given, { jobId: id, delay: TEN_YEARS_MS });
}

/** Does the work in processes that die one command later each, then in one that lives; checks the end of each time. */
async function killEverywhere(
  fields: Record<string, string>,
  work: (fleet: OpenFleet, id: string) => Promise<unknown>,
  check: (id: string) => Promise<void>,
): Promise<number> {
  const living = await openMortal(Infinity);
  redis.cleanup(() => living.close());
  for (let commands = 0; ; commands += 1) {
    const id = `m${commands}`;
    await leave(living.fleet, id, fields);
    const { fleet, death, close } = await openMortal(commands);
    const isDead = await Promise.race([work(fleet, id).then(() => false), death.then(() => true)]);
    if (isDead) await work(living.fleet, id);
    await check(id);
    expect(await living.fleet.inner.queues.missions.getJobState(id)).toBe('waiting');
    await close();
    if (!isDead) return commands;
  }
}

it('a plan that is run by a process that dies anywhere runs once, as it was asked', { timeout: 60_000 }, async () => {
  const kills = await killEverywhere(
    { state: 'planned', plan: JSON.stringify(PLAN), step: 'delegate' },
    (fleet, id) => fleet.missions.run(id, { drop: [1] }),
    async (id) => {
      const record = await readMission(redis.db, id);
      expect(record).toMatchObject({
        state: 'running',
        approval: { dropped: [1], edited: false },
        counts: { total: 1 },
      });
      expect(record?.nodes.map(({ n }) => n)).toEqual([2]);
    },
  );
  expect(kills).toBeGreaterThan(10);
});

it('an answer that is given by a process that dies anywhere is stored once', { timeout: 60_000 }, async () => {
  const kills = await killEverywhere(
    { state: 'asks', problem: 'the recall failed twice: malformed' },
    (fleet, id) => fleet.missions.answer(id, 'Go on.'),
    async (id) => {
      const record = await readMission(redis.db, id);
      expect(record).toMatchObject({ state: 'running', problem: '', answers: [{ n: 1, text: 'Go on.' }] });
      expect(record?.answers).toHaveLength(1);
      expect(await readMissionFields(redis.db, id, 'releases')).toEqual(['1']);
    },
  );
  expect(kills).toBeGreaterThan(10);
});
