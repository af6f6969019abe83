import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';

/**
 * Makes a temporary folder with these files. It is removed after the test, when everything that the test opened is closed.
 * Call it in a test or a `beforeEach`.
 * @param files text by path; a path may name folders
 */
export function makeFolder(files: Record<string, string> = {}): string {
  const folder = createFolder();
  onTestFinished(() => removeFolder(folder));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** One temporary folder for all tests of a file. Read its path inside hooks and tests only. */
export function useFolder(): { readonly path: string } {
  let path = '';
  beforeAll(() => {
    path = createFolder();
  });
  afterAll(() => removeFolder(path));
  return {
    get path() {
      return path;
    },
  };
}

function createFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'fleet-test-')));
}

function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
