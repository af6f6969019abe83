import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CheckGroup } from '../../../src/doctor/check.ts';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis({ appendOnly: true });
const shell = useShell(redis, (folder) => ({
  PM2_HOME: join(folder, 'pm2'),
  FLEET_DATA: join(folder, 'data'),
  DASHBOARD_PORT: '0',
}));

async function doctor(more: Record<string, string> = {}, ...options: string[]) {
  const { code, stdout } = await shell.start(['doctor', '--json', ...options], { env: more }).done;
  const groups = JSON.parse(stdout) as CheckGroup[];
  const results = groups.flatMap((group) => group.results);
  return {
    code,
    stdout,
    bad: results.filter(({ ok }) => !ok),
    find: (what: string) => results.find((one) => one.what === what),
  };
}

describe('fleet doctor', () => {
  it('finds a sound machine well, names every variable, and leaves nothing in Redis', async () => {
    mkdirSync(join(shell.folder, 'site'));
    const { code, bad, find } = await doctor({ FLEET_WORKSPACES: `site=${join(shell.folder, 'site')}` });
    expect(bad).toEqual([]);
    expect(code).toBe(0);
    expect(find('Redis')?.seen).toMatch(/^\d+\.\d+\.\d+ at 127\.0\.0\.1:\d+$/);
    expect(find('round trips')?.seen).toMatch(/PING [\d.]+ ms, SET [\d.]+ ms, GET [\d.]+ ms/);
    expect(find('queue')?.seen).toMatch(/a job went through in [\d.]+ ms/);
    expect(find('FLEET_HAIKU_PROCESSES')?.seen).toBe('2 (default)');
    expect(find('FLEET_SWARM')?.seen).toBe(`${redis.swarm} (shell)`);
    expect(await redis.redis.keys(`{${redis.swarm}}*`)).toEqual([redis.keys.preflight]);
  });

  it('says of each thing that is not well what is wrong and how to mend it', async () => {
    await redis.redis.config('SET', 'maxmemory-policy', 'allkeys-lru', 'appendonly', 'no');
    redis.cleanup(() => redis.redis.config('SET', 'maxmemory-policy', 'noeviction', 'appendonly', 'yes'));
    await redis.redis.hset(redis.keys.swarmMark, 'kind', 'real');
    const { code, bad } = await doctor({ FLEET_WORKSPACES: `gone=${join(shell.folder, 'gone')}` });
    expect(code).toBe(1);
    expect(bad.map(({ what }) => what)).toEqual([
      'Redis',
      'append-only file',
      `swarm ${redis.swarm}`,
      'workspace gone',
    ]);
    for (const { fix } of bad) expect(fix).toMatch(/\w+/);
  });

  it('is red on a halt, a missing right and a database that does not exist, with the way out', async () => {
    await redis.redis.set(redis.keys.haltReason, JSON.stringify({ reason: 'budget', by: 'w', detail: 'spent' }));
    const halted = await doctor({});
    expect(halted.code).toBe(1);
    expect(halted.bad).toMatchObject([
      {
        what: 'halt',
        seen: 'the fleet is halted by w: budget: spent',
        fix: expect.stringContaining('fleet budget USD && fleet resume'),
      },
    ]);
    await redis.redis.del(redis.keys.haltReason);
    await redis.redis.call(
      'ACL',
      'SETUSER',
      'some',
      'on',
      '>right-password-1',
      '~*',
      '&*',
      '+@all',
      '-publish',
      '-xadd',
    );
    redis.cleanup(() => redis.redis.call('ACL', 'DELUSER', 'some'));
    const limited = await doctor({ REDIS_URL: redis.url.replace('//', '//some:right-password-1@') });
    expect(limited.find('rights')).toMatchObject({ ok: false, seen: expect.stringContaining('publish') });
    expect(limited.find('rights')?.fix).toContain('+@all -@dangerous +info');
    const elsewhere = await doctor({ REDIS_URL: `${redis.url}/99` });
    expect(elsewhere.bad).toMatchObject([{ what: 'Redis', seen: expect.stringContaining('no database 99') }]);
  });

  it('names what is wrong in the environment, and that Redis is away, as lines like any other', async () => {
    const wrong = await doctor({ FLEET_BUDGET_USD: 'lots', DASHBOARD_PORT: 'x' });
    expect(wrong.code).toBe(1);
    expect(wrong.bad.map(({ what }) => what)).toEqual(['FLEET_BUDGET_USD', 'DASHBOARD_PORT']);
    const away = await doctor({ REDIS_URL: `redis://:secret-word@127.0.0.1:${await findFreePort()}` });
    expect(away.bad).toMatchObject([{ what: 'Redis', seen: expect.stringContaining('not reachable') }]);
    expect(away.stdout).not.toContain('secret-word');
  });

  it('names what .env holds for nothing, and a home that is missing', async () => {
    writeFileSync(
      join(shell.folder, '.env'),
      'FLEET_HAIKU_PROCESES=3\nGEMINI_RPM_SHARD1=2\nFLEET_BUDGET_USD=1\nOTHER=1\n',
    );
    const misspelt = await doctor({ FLEET_HOME: shell.folder });
    expect(misspelt.bad).toMatchObject([
      { what: 'FLEET_HAIKU_PROCESES', seen: expect.stringContaining('nothing reads it') },
    ]);
    const nowhere = await doctor({ FLEET_HOME: join(shell.folder, 'nowhere') });
    expect(nowhere.bad).toMatchObject([{ what: 'FLEET_HOME', seen: expect.stringContaining('nowhere is missing') }]);
  });

  it('shows no key, and makes booked calls with each key and model only when asked to', async () => {
    const provider = await startAnthropicSimulator();
    redis.cleanup(() => provider.close());
    const env = { ANTHROPIC_BASE_URL: provider.url, ANTHROPIC_API_KEY: 'key-that-nobody-may-see' };
    const quiet = await doctor(env);
    expect(provider.requests()).toEqual([]);
    const live = await doctor(env, '--live');
    expect(live.bad).toEqual([]);
    expect(live.find('claude-haiku-5-5')?.seen).toMatch(/3 calls in [\d,]+ ms for \$0\.\d{6}, booked/);
    expect(live.find('shard 5')?.seen).toMatch(/^answers: [\d,]+ ms, free$/);
    expect(provider.served().calls).toBe(6);
    const days = await redis.redis.hgetall(redis.keys.spend(`day:${new Date().toISOString().slice(0, 10)}`));
    expect(days).toEqual({ settled: String(provider.served().billNanoUsd), reserved: '0' });
    expect(quiet.stdout + live.stdout).not.toContain('nobody-may-see');
  });

  it('shows the provider’s words where a key is refused, and books nothing', async () => {
    const provider = await startAnthropicSimulator({ acceptKey: () => false });
    redis.cleanup(() => provider.close());
    const { code, bad } = await doctor({ ANTHROPIC_BASE_URL: provider.url }, '--live');
    expect(code).toBe(1);
    expect(bad.map(({ what }) => what)).toEqual(['ANTHROPIC_API_KEY']);
    expect(bad[0]?.seen).toMatch(/401|key/i);
  });
});
