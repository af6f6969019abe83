import { afterAll, beforeAll, expect, test } from 'vitest';
import { runLanes, startLanes } from '../../support/fleet/three-lanes.ts';
import { useFolder } from '../../support/folder.ts';
import { openSwarm, startSentinelGroup, type GroupServer } from '../../support/redis/server-group.ts';
import { waitUntil } from '../../support/wait.ts';

const folder = useFolder();
let group: Awaited<ReturnType<typeof startSentinelGroup>>;
let redis: Awaited<ReturnType<typeof openSwarm>>;

beforeAll(async () => {
  group = await startSentinelGroup(folder.path);
  redis = await openSwarm(group.url, folder.path);
});
afterAll(async () => {
  await redis.close();
  for (const server of [...group.sentinels, ...group.servers]) await server.kill();
});

function askSentinel(...args: string[]): Promise<unknown> {
  const [sentinel] = group.sentinels;
  if (sentinel === undefined) throw new TypeError('three Sentinels were started');
  return sentinel.admin.call('SENTINEL', ...args);
}

/** The server that Sentinel calls the master. */
async function findMaster(): Promise<GroupServer> {
  const [, port] = (await askSentinel('GET-MASTER-ADDR-BY-NAME', 'fleet')) as string[];
  const found = group.servers.find((server) => server.port === Number(port));
  if (found === undefined) throw new Error(`no server has the port ${port}`);
  return found;
}

test('all three queues go on after the master is killed, and after a planned switch, and no process ends', async () => {
  const lanes = await startLanes(redis);
  const killed = await runLanes(redis, lanes, {
    tasks: 15,
    fault: async () => (await findMaster()).kill(),
  });
  console.log(`kill -9 of the master under Sentinel: ${JSON.stringify(killed)}`);
  expect(killed.ended).toEqual([]);
  expect(killed.worksAfterMs).toBeLessThan(10_000 + 5_000); // 1 s until it counts as down, the vote, and one task
  expect(killed.paidAgain).toBeLessThanOrEqual(killed.lost.length + killed.books.uncertainCalls + 2 * 5);
  expect(killed.books).toMatchObject({ reserved: 0, openReservations: 0 });

  const switched = await runLanes(redis, lanes, {
    tasks: 15,
    async fault() {
      const before = (await findMaster()).port;
      await waitUntil(
        () =>
          askSentinel('FAILOVER', 'fleet').then(
            () => true,
            () => false,
          ), // not so soon after another one
        { timeoutMs: 20_000, what: 'a switch' },
      );
      await waitUntil(async () => (await findMaster()).port !== before, { what: 'another master' });
    },
  });
  console.log(`planned switch under Sentinel: ${JSON.stringify(switched)}`);
  expect(switched.ended).toEqual([]);
  expect(switched.worksAfterMs).toBeLessThan(10_000);
  expect(switched.books).toMatchObject({ reserved: 0, openReservations: 0 });
});
