import { describe, expect, it } from 'vitest';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { addSwarm } from '../../support/redis/second-swarm.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const fixture = useRedis();

describe('/api/status', () => {
  it('gives the snapshot with what a page shows beside it', async () => {
    const { ask, redis, keys } = await startDashboard(fixture);
    await redis.set(keys.haltReason, JSON.stringify({ reason: 'budget', step: 's', at: '', by: '', detail: '' }));
    const body = (await (await ask('/api/status')).json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      swarm: fixture.swarm,
      halt: { reason: 'budget' },
      totalNanoUsd: 0,
      delegation: { haikuTasks: null, onTarget: false },
    });
    expect(JSON.stringify(body['choices'])).toContain('fleet budget USD');
  });

  it('gives the notices that the terminal prints', async () => {
    const { ask, redis, keys } = await startDashboard(fixture);
    await redis.hset(keys.counters, { recoveries: 3 });
    const { notices } = (await (await ask('/api/status')).json()) as { notices: object[] };
    expect(notices).toContainEqual(expect.objectContaining({ kind: 'counters', label: 'Recoveries', text: '3' }));
  });

  it('gives the repair of each failure that the command line gives', async () => {
    const { ask, redis, keys } = await startDashboard(fixture);
    for (const [queue, failedReason] of [
      ['tasks', 'handed-back: a decision'],
      ['archive', 'citations: none'],
      ['missions', 'malformed: no plan'],
    ] as const) {
      await redis.hset(keys.queueKey(queue, 'x1'), { failedReason, data: '{}' });
      await redis.zadd(keys.queueKey(queue, 'failed'), 1, 'x1');
    }
    const { failed } = (await (await ask('/api/status')).json()) as { failed: { reason: string; repair: string }[] };
    expect(Object.fromEntries(failed.map(({ reason, repair }) => [reason, repair]))).toEqual({
      'handed-back': 'fleet retry --reason handed-back --model claude-sonnet-5-5',
      citations: 'fleet retry ID, or ask anew',
      malformed: 'fleet retry ID',
    });
  });
});

describe('/api/findings', () => {
  it('blames no search for a Redis that does not answer', async () => {
    const { ask } = await startDashboard(fixture);
    process.kill(fixture.pid, 'SIGSTOP');
    try {
      const answer = await ask('/api/findings?text=pears');
      expect(answer.status).toBe(503);
      expect(await answer.text()).not.toContain('search');
    } finally {
      process.kill(fixture.pid, 'SIGCONT');
    }
  });

  it('lists the newest, searches their text, and shows one', async () => {
    const { ask, redis, keys } = await startDashboard(fixture);
    for (const [i, word] of ['apples', 'pears', 'plums'].entries()) {
      const finding = {
        finding_id: `f${i}`,
        result: `about ${word}`,
        summary: word,
        cost: 0.001,
        at: new Date(i * 1_000),
      };
      await redis.set(keys.finding(`f${i}`), JSON.stringify(finding));
      await redis.zadd(keys.index, i * 1_000, `f${i}`);
    }
    const list = async (query: string) =>
      ((await (await ask(`/api/findings${query}`)).json()) as { findings: { id: string; summary: string }[] }).findings;
    expect((await list('')).map((finding) => finding.id)).toEqual(['f2', 'f1', 'f0']);
    expect((await list('?limit=1')).map((finding) => finding.id)).toEqual(['f2']);
    expect(await list('?text=PEAR')).toMatchObject([{ id: 'f1', summary: 'pears', costUsd: 0.001 }]);
    expect(await (await ask('/api/findings/f0')).json()).toMatchObject({
      finding_id: 'f0',
      result: 'about apples',
      result_text: 'about apples',
    });
    expect((await ask('/api/findings/none')).status).toBe(404);
    for (const [i, [result, text]] of (
      [
        ['{"n":12345678901234567890,"x":[1.0]}', '{\n  "n": 12345678901234567890,\n  "x": [\n    1.0\n  ]\n}'],
        ['```json\n["a"]\n```', '[\n  "a"\n]'],
        ['{"a": 1', null],
        ['[note] see [1]', null],
        ['42', null],
        [`${'['.repeat(300)}${']'.repeat(300)}`, null],
      ] as const
    ).entries()) {
      await storeFindings(fixture, { [`json-${i}`]: { result } });
      expect(await (await ask(`/api/findings/json-${i}`)).json()).toMatchObject({
        result,
        result_text: text ?? result,
        result_is_json: text !== null,
      });
    }
    for (const limit of ['0', '201', '1.5', 'many']) {
      const refused = await ask(`/api/findings?limit=${limit}`);
      expect([refused.status, await refused.json()]).toEqual([
        400,
        { error: 'query', message: 'limit: expected 1..200' },
      ]);
    }
  });
});

it.each(['findings', 'jobs', 'batches', 'costs', 'audit', 'series', 'events'])(
  'refuses fields in the query of /api/%s that it does not know',
  async (list) => {
    const { ask } = await startDashboard(fixture);
    const refused = await ask(`/api/${list}?sesion=today`);
    expect([refused.status, await refused.json()]).toMatchObject([400, { message: 'Unrecognized key: "sesion"' }]);
  },
);

describe('/healthz', () => {
  it('fails when Redis takes no write', async () => {
    const { ask, redis } = await startDashboard(fixture, { DASHBOARD_PASSWORD: 'long enough' });
    expect((await ask('/healthz')).status).toBe(200); // it needs no login
    await redis.config('SET', 'min-replicas-to-write', 1);
    fixture.cleanup(() => fixture.redis.config('SET', 'min-replicas-to-write', 0));
    const full = await ask('/healthz');
    expect(full.status).toBe(503);
    expect(await full.json()).toEqual({ ok: false, error: 'Redis cannot be written to' });
  });
});

describe('without Redis', () => {
  it('says so on every page and comes back by itself', async () => {
    const { ask } = await startDashboard(fixture);
    expect((await ask('/api/status')).status).toBe(200);
    await fixture.kill();
    await waitUntil(async () => (await ask('/api/status')).status === 503);
    for (const path of ['/api/status', '/metrics', '/healthz', '/queues/api/queues', '/api/findings']) {
      expect((await ask(path)).status, path).toBe(503);
    }
    expect(await (await ask('/api/status')).json()).toMatchObject({
      error: 'redis',
      message: expect.stringContaining('not reachable'),
    });
    expect((await ask('/')).status).toBe(200); // the page itself, which shows that message
    await fixture.start();
    await waitUntil(async () => (await ask('/api/status')).status === 200);
    await waitUntil(async () => (await ask('/healthz')).status === 200);
  });
});

describe('/api/findings/<id>', () => {
  it('gives a finding of another swarm, and the rule where that may not be read', async () => {
    const ops = await addSwarm(fixture);
    await ops.share(fixture.swarm);
    await storeFindings(ops, { finding_1: { result: 'of ops', citations: ['finding_2'] } });
    const { ask } = await startDashboard(fixture, { FLEET_READ_SWARMS: ops.swarm });
    for (const path of [`${ops.swarm}%2Ffinding_1`, `${ops.swarm}/finding_1`]) {
      expect((await ask(`/findings/${path}`)).status).toBe(200);
      expect(await (await ask(`/api/findings/${path}`)).json()).toMatchObject({
        finding_id: `${ops.swarm}/finding_1`,
        swarm: ops.swarm,
        simulated: true,
        citations: [`${ops.swarm}/finding_2`],
        result_text: 'of ops',
      });
    }
    expect((await ask(`/api/findings/${ops.swarm}%2Ffinding_9`)).status).toBe(404);
    const refused = await ask('/api/findings/web%2Ffinding_1');
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('FLEET_READ_SWARMS');
  });
});
