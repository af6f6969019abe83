import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadScript, SCRIPT_NAMES } from '../../../src/redis/scripts.ts';

const files = readdirSync(new URL('../../../src/redis/scripts/', import.meta.url));

describe('the Lua scripts', () => {
  it('are all known by name, and every name has its file', () => {
    const scripts = files.filter((name) => name.endsWith('.lua'));
    expect(new Set(scripts)).toEqual(new Set(SCRIPT_NAMES.map((name) => `${name}.lua`)));
  });

  it.each([...SCRIPT_NAMES])('%s says what it does and how many keys it takes, and finds what it includes', (name) => {
    expect(loadScript(name).keyCount).toBeGreaterThan(0);
  });
});
