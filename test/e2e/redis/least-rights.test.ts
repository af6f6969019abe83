import { expect, it } from 'vitest';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis({ appendOnly: true });
const shell = useShell(redis);

it('the rights that messages and documents name are enough for a whole fleet', async () => {
  const rights = ['~*', '&*', '+@all', '-@dangerous', '+info'];
  await redis.redis.call('ACL', 'SETUSER', 'least', 'on', '>right-password-1', ...rights);
  redis.cleanup(() => redis.redis.call('ACL', 'DELUSER', 'least'));
  const url = redis.url.replace('//', '//least:right-password-1@');
  const fleet = (...args: string[]) => shell.start(args, { env: { REDIS_URL: url } }).done;
  const provider = await startAnthropicSimulator();
  redis.cleanup(() => provider.close());
  const worker = await startWorkerProcess(redis, { id: 'least_1', provider: provider.url, redisUrl: url });
  expect(await fleet('task', 'Say it.', '--task-id', 'one', '--wait')).toMatchObject({ code: 0 });
  expect(await fleet('halt', 'a look')).toMatchObject({ code: 0, stderr: '' });
  expect(await fleet('status')).toMatchObject({ code: 3, stderr: '' }); // it is halted
  for (const args of [['resume'], ['findings'], ['costs'], ['failed']]) {
    expect(await fleet(...args)).toMatchObject({ code: 0, stderr: '' });
  }
  expect((await fleet('doctor')).stdout).not.toMatch(/NOPERM|❌ (?:Redis|rights|queue|halt)/);
  await worker.end('SIGTERM');
});
