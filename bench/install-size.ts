import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageFolder } from '../src/config.ts';
import type { Measure } from './measure.ts';

const run = promisify(execFile);

/** `node_modules` as a production install makes it, from the lock file. Needs the npm registry or its cache. */
export async function measureInstallSize(): Promise<Measure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-bench-install-'));
  try {
    for (const file of ['package.json', 'package-lock.json'])
      await copyFile(join(packageFolder, file), join(folder, file));
    await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
      cwd: folder,
    });
    const { stdout } = await run('du', ['-sm', join(folder, 'node_modules')]);
    return [
      {
        name: 'node_modules of a production install',
        value: Number.parseInt(stdout, 10),
        unit: 'MB',
        bar: { atMost: 160 },
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
