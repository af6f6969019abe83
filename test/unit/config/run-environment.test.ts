import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { makeFolder } from '../../support/folder.ts';

const load = (env: Record<string, string>) =>
  loadConfig({ FLEET_HOME: makeFolder(), FLEET_DATA: makeFolder(), ...env });

test('hands on variables by name and by value, and leaves out what is not set', () => {
  const env = { FLEET_RUN_ENV: 'CI=1, NODE_ENV, NOT_SET,URL=a=b', NODE_ENV: 'test' };
  expect(load(env).runEnvironment).toEqual({ CI: '1', NODE_ENV: 'test', URL: 'a=b' });
});

test.each([
  ['ANTHROPIC_API_KEY', 'ANTHROPIC_API_KEY is a secret of the fleet'],
  ['GEMINI_API_KEY_SHARD3=x', 'GEMINI_API_KEY_SHARD3 is a secret of the fleet'],
  ['REDIS_URL', 'REDIS_URL is a secret of the fleet'],
  ['HOME=/root', 'HOME is set by the tool itself'],
  ['a b=1', 'got the name "a b"'],
  ['=1', 'got the name ""'],
  ['OTHER', 'OTHER has the value of a secret of the fleet'],
])('refuses %s, naming it and never its value', (item, words) => {
  const key = ['a-key', 'of-nobody'].join('-');
  const refused = (): unknown => load({ FLEET_RUN_ENV: item, ANTHROPIC_API_KEY: key, OTHER: key });
  expect(refused).toThrow(words);
  expect(refused).not.toThrow(key);
});
