import { expect, it } from 'vitest';
import { createKeys } from '../../../src/redis/keys.ts';
import { bare, table } from '../../support/docs.ts';

const keys = createKeys(null);
/** No key of its own: a prefix, a channel, or a key of BullMQ. */
const LEFT_OUT = new Set(['swarm', 'bullPrefix', 'publicPrefix', 'control', 'jobLock', 'jobLogs', 'queueKey']);
const isPrefix = (key: unknown): boolean => typeof key === 'string' && key.endsWith(':');
const members = Object.entries(keys).filter(
  ([name, key]) => !LEFT_OUT.has(name) && !name.startsWith('channel') && !isPrefix(key),
);

const rows = [...table('docs/redis-keys.md', 'Private keys'), ...table('docs/redis-other-keys.md', 'Public keys')];

it('the pages of keys list every key with its growth and its life time', () => {
  expect(rows.map(([name = '']) => bare(name)).toSorted()).toEqual(members.map(([name]) => name).toSorted());
  for (const [name = '', ...cells] of rows) {
    for (const cell of cells) expect(cell, `${name}: an empty cell`).not.toBe('');
  }
});

it('the pages of keys write every key as it is', () => {
  for (const [name, key] of members) {
    if (name === 'cost') continue; // its public names are in the contract
    const row = rows.find(([first = '']) => bare(first) === name) ?? [];
    const written = bare(row[1] ?? '').split(/<[^>]*>/)[0];
    const made: unknown = typeof key === 'function' ? (key as (...parts: string[]) => unknown)('<', '<') : key;
    expect(String(made).replace('{fleet}:', '').split('<')[0], name).toBe(written);
  }
});
