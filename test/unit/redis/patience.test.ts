import { expect, it } from 'vitest';
import { RedisAwayError, UsageError } from '../../../src/errors.ts';
import { createPatience } from '../../../src/redis/errors/patience.ts';

it('looks again while no Redis answers, and says so once', async () => {
  const lines: string[] = [];
  const patiently = createPatience((line) => lines.push(line));
  const answers = [new RedisAwayError('Redis is not reachable at x'), new Error('connect ECONNREFUSED'), 'found'];
  const look = async (): Promise<string> => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? '';
  };
  expect(await patiently(look)).toBe('found');
  expect(lines).toEqual(['Redis is not reachable; waiting for it', 'Redis is back']);
});

it('passes any other failure on at once', async () => {
  const patiently = createPatience(() => undefined);
  const failures = [
    new UsageError('no job'),
    new Error('WRONGPASS invalid username-password pair'),
    new Error('a bug'),
  ];
  for (const failure of failures) await expect(patiently(() => Promise.reject(failure))).rejects.toBe(failure);
});
