import { LLMock } from '@copilotkit/aimock';
import { expect, it } from 'vitest';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const usage = { input_tokens: 1_000, output_tokens: 100 };

/** A simulated provider of another project, configured like the real one. */
it('takes a task from queue to finding with tools and a rate limit, through a provider that is not ours', async () => {
  const provider = new LLMock({ port: 0, host: '127.0.0.1' });
  await provider.start();
  redis.cleanup(() => provider.stop());
  provider.on(
    { userMessage: 'What is sold', hasToolResult: false },
    { toolCalls: [{ id: 'toolu_1', name: 'read', arguments: '{"file_path":"shop.md"}' }], usage },
  );
  provider.on({ toolCallId: 'toolu_1' }, { content: 'shop.md sells tea.', usage });
  provider.nextRequestError(429, { message: 'slow down', type: 'rate_limit_error' });

  const fleet = await useFleet(redis, {
    site: { 'shop.md': '# Shop\n\nIt sells tea.\n' },
    env: {
      FLEET_OFFLINE: '0',
      ANTHROPIC_API_KEY: 'local-test-key',
      ANTHROPIC_BASE_URL: provider.url,
    },
    haiku: 'http',
  });

  const job = await fleet.tasks.add({ description: 'What is sold here?', workspace: 'site', files: ['shop.md'] });
  const finding = await job.finding({ timeoutMs: 25_000 });

  // 2 calls of 1,000 + 100 tokens at $0.10 and $0.50 a million; the refused one cost nothing
  expect(finding).toMatchObject({
    result: 'shop.md sells tea.',
    cost: 0.0003,
    tokens_used: 2_200,
    usage: { input: 2_000, cache_write: 0, cache_read: 0, output: 200 },
    recovered: 0,
  });
  expect(provider.getRequests()).toHaveLength(3);
  expect(JSON.stringify(provider.getRequests().at(-1)?.body)).toContain('It sells tea.');
  expect(await redis.redis.zcard(redis.keys.index)).toBe(1);
  expect(await redis.redis.get(redis.keys.cost('haiku'))).toBe('0.0003');
  expect(await redis.redis.hgetall(redis.keys.spend(`day:${toUtcDay(new Date())}`))).toEqual({
    settled: '300000',
    reserved: '0',
  });
  const stored = await fleet.inner.queues.tasks.getJob(job.id);
  expect(stored?.attemptsMade).toBeLessThanOrEqual(1);
  const { logs } = await fleet.inner.queues.tasks.getJobLogs(job.id);
  expect(logs.join('\n')).toMatch(/rate/i);
  expect((await fleet.status()).kind).toBe('real');
});
