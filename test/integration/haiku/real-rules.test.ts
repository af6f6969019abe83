import { expect, test } from 'vitest';
import type { SimulatedModel } from '../../../simulator/model/types.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const PATHS = Array.from({ length: 9 }, (_, i) => `part-${i}.txt`);
const SITE = Object.fromEntries(PATHS.map((path) => [path, `${path} sells tea.\n`.repeat(2_590)]));

/** Reads so many of the parts each turn, then answers. */
const readsParts = (parts: number): SimulatedModel => ({
  reply({ messages }) {
    const turn = messages.filter(({ role }) => role === 'assistant').length;
    const paths = PATHS.slice(turn * parts, (turn + 1) * parts);
    if (paths.length === 0) return { content: [{ type: 'text', text: 'nine parts' }] };
    return { content: paths.map((path) => ({ type: 'tool_use', name: 'read', input: { file_path: path } })) };
  },
});

/** What the provider refused. */
const refusals = (fleet: Awaited<ReturnType<typeof useSimulatedFleet>>): number[] =>
  fleet.simulator.requests().flatMap(({ status }) => (status === 200 || status === null ? [] : [status]));

test.each([1, 4, 9])('a task reads nine files of 57 kB, %i at once, under the rules of the provider', async (parts) => {
  const fleet = await useSimulatedFleet(redis, {
    site: SITE,
    simulator: { rules: 'real', model: readsParts(parts) },
  });
  const id = await fleet.add('Read all parts', { workspace: 'site' });
  await fleet.until(id, 'completed', 20_000);
  expect((await fleet.findings.list())[0]).toMatchObject({ result: 'nine parts', status: 'completed' });
  expect(refusals(fleet)).toEqual([]);
  expect(await fleet.logs(id)).not.toContain('asked again');
});

test('a worker of other allowed programs takes a thinking task over, under the rules of the provider', async () => {
  const fleet = await useSimulatedFleet(redis, {
    workers: 0,
    site: { 'a.txt': 'tea\n' },
    simulator: { rules: 'real' },
  });
  const first = await fleet.startHaiku('http');
  fleet.simulator.setFaults([{ kind: 'slow-headers', when: { turn: 2 }, delayMs: 300 }]);
  const id = await fleet.add('Describe a.txt [[turns:5]]', { workspace: 'site', files: ['a.txt'] });
  await waitUntil(() => fleet.simulator.requests().length === 3, { what: 'the third call' });
  await first.close();
  await fleet.startHaiku('http', { FLEET_RUN_ALLOW: ['node'] });
  await fleet.until(id, 'completed');
  expect(refusals(fleet)).toEqual([]);
  expect(fleet.simulator.requests()).toHaveLength(5);
  expect(await fleet.logs(id)).toMatch(/without the thinking of 3 replies to another prompt/);
});

test('a task out of turns reports what it has', async () => {
  const fleet = await useSimulatedFleet(redis, { simulator: { rules: 'real' } });
  const id = await fleet.add('Say [[turns:5]]', { max_turns: 2 });
  await fleet.until(id, 'completed');
  expect((await fleet.findings.list())[0]).toMatchObject({ status: 'partial' });
  expect(refusals(fleet)).toEqual([]);
});
