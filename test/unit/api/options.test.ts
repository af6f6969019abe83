import { expect, it } from 'vitest';
import { connectFleet } from '../../../src/api/connect-fleet.ts';
import { assertOptions } from '../../../src/api/given/options.ts';

it.each([
  [{ redis: 'redis://h' }, /"redis" is no option; it takes redisUrl, swarm, client; did you mean redisUrl\?/],
  [{ url: 'redis://h' }, /"url" is no option.*did you mean redisUrl\?/],
  [{ Swarm: 'acme' }, /"Swarm" is no option.*did you mean swarm\?/],
  [{ banana: 1 }, /"banana" is no option; it takes redisUrl, swarm, client$/],
  ['redis://h', /connectFleet: expected options as an object, got string/],
])('connectFleet refuses %j, and names the option that is meant', async (options, rule) => {
  await expect(connectFleet(options as never)).rejects.toThrow(rule);
});

it('known options, and none, are taken', () => {
  expect(() => assertOptions('a wait', { timeoutMs: 5 }, ['timeoutMs'])).not.toThrow();
  expect(() => assertOptions('a wait', undefined, ['timeoutMs'])).not.toThrow();
  expect(() => assertOptions('a wait', { timeout: 5 }, ['timeoutMs'])).toThrow(/did you mean timeoutMs\?/);
});
