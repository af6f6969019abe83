import { describe, expect, it } from 'vitest';
import { decideInstall } from '../../../src/redis/server/install.ts';

const bare = { ci: false, root: false, terminal: false, platform: 'linux' } as const;

describe('a missing redis-server', () => {
  it('is installed without a question where nobody can be harmed', () => {
    expect(decideInstall({ ...bare, ci: true })).toBe('install');
    expect(decideInstall({ ...bare, root: true })).toBe('install');
  });

  it('is installed only after a yes where a person sits', () => {
    expect(decideInstall({ ...bare, terminal: true })).toBe('ask');
    expect(decideInstall({ ...bare, root: true, terminal: true })).toBe('ask');
  });

  it('is only told about otherwise', () => {
    expect(decideInstall(bare)).toBe('tell');
    expect(decideInstall({ ...bare, platform: 'win32', ci: true })).toBe('tell');
  });
});
