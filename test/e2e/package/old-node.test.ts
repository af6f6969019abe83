import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { useFolder } from '../../support/folder.ts';
import { packageFolder } from '../../../src/config/package-folder.ts';

const folder = useFolder();
let pretend = '';
beforeAll(() => {
  pretend = join(folder.path, 'pretend.cjs');
  writeFileSync(pretend, "Object.defineProperty(process.versions, 'node', { value: '20.18.9' });");
});

describe('an unsupported Node', () => {
  it.each(['scripts/require-node.cjs', 'dist/src/cli/main.js', 'ecosystem.config.js'])(
    'is named at once by %s',
    async (entry) => {
      const run = promisify(execFile)(process.execPath, ['--require', pretend, join(packageFolder, entry)]);
      const failure = await run.then(
        () => null,
        (error: { code: number; stderr: string }) => error,
      );
      expect(failure).toMatchObject({
        code: 78,
        stderr: 'haiku-fleet needs Node 20.19 or newer; this is Node 20.18.9.\n',
      });
    },
  );

  it('is not seen where it is new enough', async () => {
    await promisify(execFile)(process.execPath, [join(packageFolder, 'scripts/require-node.cjs')]);
  });
});
