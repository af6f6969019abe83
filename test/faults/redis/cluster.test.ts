import { afterAll, beforeAll, expect, test } from 'vitest';
import { runLanes, startLanes } from '../../support/fleet/three-lanes.ts';
import { useFolder } from '../../support/folder.ts';
import { openSwarm, startClusterNodes } from '../../support/redis/server-group.ts';
import { startFleet } from '../../support/process/fleet-command.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { plainEnvironment } from '../../support/process/fleet-command.ts';

const folder = useFolder();
let cluster: Awaited<ReturnType<typeof startClusterNodes>>;
let redis: Awaited<ReturnType<typeof openSwarm>>;

beforeAll(async () => {
  cluster = await startClusterNodes(folder.path);
  redis = await openSwarm(cluster.url, folder.path);
});
afterAll(async () => {
  await redis.close();
  for (const node of cluster.nodes) await node.kill();
});

test('all three queues go on after the node of the swarm is killed, and no process ends', async () => {
  const lanes = await startLanes(redis);
  const killed = await runLanes(redis, lanes, {
    tasks: 15,
    async fault() {
      const port = redis.redis.stream.remotePort;
      await cluster.nodes.find((node) => node.port === port)?.kill();
    },
  });
  console.log(`kill -9 of a node of the cluster: ${JSON.stringify(killed)}`);
  expect(killed.ended).toEqual([]);
  expect(killed.worksAfterMs).toBeLessThan(15_000);
  expect(killed.paidAgain).toBeLessThanOrEqual(killed.lost.length + killed.books.uncertainCalls + 2 * 5);
  expect(killed.books).toMatchObject({ reserved: 0, openReservations: 0 });
});

test('a plain address of a node says what to write instead, and the doctor is content with the right one', async () => {
  const [node] = cluster.nodes.filter(({ admin }) => admin.status === 'ready');
  const env = (url: string) => plainEnvironment(swarmEnvironment(redis, { REDIS_URL: url }));
  const wrong = await startFleet(['status'], env(`redis://127.0.0.1:${node?.port}`)).done;
  expect(wrong.code).not.toBe(0);
  expect(wrong.stderr + wrong.stdout).toMatch(
    /node of a Redis Cluster.*REDIS_URL=redis\+cluster:\/\/127\.0\.0\.1:\d+.*FLEET_SWARM/,
  );
  const right = await startFleet(['doctor'], env(cluster.url)).done;
  expect(right.stdout).toMatch(/queue\s+a job went through/);
  // Its scripts read keys of jobs and findings that only the step finds.
  const jobs = await startFleet(['jobs', '--state', 'done', '--model', 'claude-haiku-5-5'], env(cluster.url)).done;
  expect(jobs).toMatchObject({ code: 0, stdout: expect.stringMatching(/ done .* claude-haiku-5-5 /) });
});
