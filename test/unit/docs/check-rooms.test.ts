import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../support/docs.ts';
import { makeFolder } from '../../support/folder.ts';

/** Runs the check over a tree of files. @returns exit code and error output */
function check(tree: Record<string, string>): { code: number | null; problems: string[] } {
  const args = [join(root, 'scripts/check-rooms.mjs'), makeFolder(tree)];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { code: status, problems: stderr.split('\n').filter(Boolean) };
}

// Each case starts a process.
describe('scripts/check-rooms.mjs', { timeout: 30_000 }, () => {
  it('passes where imports run one way', () => {
    const tree = { 'src/a/one.ts': "import { two } from '../b/two.ts';", 'src/b/two.ts': 'export const two = 2;' };
    expect(check(tree)).toEqual({ code: 0, problems: [] });
  });

  it('fails on a circle of files, also of types alone', () => {
    const tree = {
      'src/a/one.ts': "import { two } from './two.ts';",
      'src/a/two.ts': "import type { One } from './one.ts';",
    };
    expect(check(tree)).toEqual({
      code: 1,
      problems: ['circle of files: src/a/one.ts → src/a/two.ts → src/a/one.ts'],
    });
  });

  it('fails on a circle of rooms whose files form none', () => {
    const tree = {
      'src/a/one.ts': "import { two } from './inner/two.ts';",
      'src/a/inner/two.ts': '',
      'src/a/inner/three.ts': "const { four } = await import('../four.ts');",
      'src/a/four.ts': '',
    };
    expect(check(tree)).toEqual({ code: 1, problems: ['circle of rooms: src/a → src/a/inner → src/a'] });
  });

  it('fails on a room of fifteen files', () => {
    const tree = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`src/a/file-${i}.ts`, '']));
    expect(check(tree)).toEqual({ code: 1, problems: ['room src/a: 15 files; expected at most 14'] });
  });
});
