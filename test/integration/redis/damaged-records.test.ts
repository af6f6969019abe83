import { expect, test } from 'vitest';
import { listContexts, saveContext } from '../../../src/contexts/memory-contexts.ts';
import { readSettlements } from '../../../src/ledger/uncertain/settle.ts';
import { listNewestPatches, listOpenPatches } from '../../../src/patches/select.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

test.each(['{"a":', 'null', '7', '', '[]', '"text"', '{}'])(
  'a record that holds %j hides no other, and stops no task',
  async (damage) => {
    const { redis: client, keys, db } = redis;
    const fleet = await useFleet(redis);
    await fleet.startHaiku(createScriptedModel(() => 'tea'));
    await (await fleet.tasks.add({ description: 'Say tea' })).finding({ timeoutMs: 20_000 });
    const [paced] = await client.hkeys(keys.paced);
    if (paced !== undefined) await client.set(keys.pace(paced), damage);
    await client.hset(keys.workers, 'other', damage);
    await client.hset(keys.hostClocks, 'other', damage);
    await client.hset(keys.treeHosts, 'other', damage);
    await client.hset(keys.parked, 'other', damage);
    await client.hset(keys.crashes('other'), 'now', damage);
    await client.hset(keys.processes('tasks'), 'other', damage);
    await client.hset(keys.reservations, 'other', damage);
    await client.hset(keys.uncertain, 'other', damage);
    await client.hset(keys.compactionPieces, 'other', damage);
    await client.rpush(keys.settlements, damage);
    await client.zadd(keys.missions, 1, 'other');
    await client.hset(keys.mission('other'), { goal: damage, counts: damage, plan: damage });
    await client.zadd(keys.patches, 1, 'damaged', 2, 'good');
    await client.set(keys.patch('damaged'), damage);
    await client.set(keys.patch('good'), JSON.stringify({ finding: 'good' }));
    await client.hset(keys.clients, 'damaged', damage);
    await client.hset(keys.clientsUsed, 'damaged', damage);
    await saveContext(db, 'good', 'x');
    await client.hset(keys.contexts, 'damaged', damage);

    const task = await fleet.tasks.add({ description: 'Say tea again', contexts: ['good'] });
    expect(await task.finding({ timeoutMs: 20_000 })).toMatchObject({ result: 'tea' });
    expect((await fleet.status()).findings.live).toBe(2);
    expect((await listContexts(db)).map(({ name }) => name)).toEqual(['damaged', 'good']);
    expect(await listOpenPatches(db)).toContainEqual({ finding: 'good' });
    expect(await listNewestPatches(db, 5)).toContainEqual({ finding: 'good' });
    await readSettlements(db, 5);
    await fleet.costs();
  },
);
