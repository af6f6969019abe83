import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { assertWritable, writeAtomically } from '../../../src/files/atomic-write.ts';
import { UsageError } from '../../../src/errors.ts';
import { makeFolder } from '../../support/folder.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = makeFolder();
  file = join(folder, 'paper.md');
});

describe('writing a file that must be new', () => {
  it('puts it in its place whole, and leaves nothing beside it', async () => {
    await writeAtomically(file, (write) => write('# Paper\n'), { keep: true });
    expect(readFileSync(file, 'utf8')).toBe('# Paper\n');
    expect(readdirSync(folder)).toEqual(['paper.md']);
  });

  it('leaves what somebody else has put there meanwhile', async () => {
    const writing = writeAtomically(
      file,
      async (write) => {
        await write('# Paper\n');
        writeFileSync(file, 'theirs');
      },
      { keep: true },
    );
    await expect(writing).rejects.toThrow(UsageError);
    expect(readFileSync(file, 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['paper.md']);
  });

  it.runIf(process.platform === 'linux')('names a folder that is there and takes no files', async () => {
    await expect(assertWritable('/proc/paper.md')).rejects.toThrow('cannot write /proc/paper.md: /proc takes no files');
    await expect(assertWritable(join(folder, 'none', 'p.md'))).rejects.toThrow(/there is no folder .*none$/);
  });

  it('leaves nothing where its text breaks off', async () => {
    const writing = writeAtomically(
      file,
      async (write) => {
        await write('# Pa');
        throw new Error('gone');
      },
      { keep: true },
    );
    await expect(writing).rejects.toThrow('gone');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('looking whether a new file can be written', () => {
  it('leaves nothing behind', async () => {
    await assertWritable(file);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a file that is there', () => folder, /is there already/],
    ['a missing folder', () => join(folder, 'none', 'paper.md'), /there is no folder .*none$/],
  ])('refuses %s', async (_, path, message) => {
    await expect(assertWritable(path())).rejects.toThrow(message);
  });
});
