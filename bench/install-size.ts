import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageFolder } from '../src/config/package-folder.ts';
import type { Measure } from './measure.ts';

const run = promisify(execFile);
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];

/**
 * Measures `node_modules` of an installed package, and of a checkout without development dependencies. In a checkout npm adds
 * TypeScript, an optional peer of a dependency. Needs the npm registry or its cache.
 */
export async function measureInstallSize(): Promise<Measure[]> {
  const [installed, checkout] = [await sizeOfPackage(), await sizeOfCheckout()];
  return [
    { name: 'node_modules where the package is installed', value: installed, unit: 'MB', bar: { atMost: 175 } },
    { name: 'node_modules of a checkout, npm ci --omit=dev', value: checkout, unit: 'MB' },
  ];
}

function sizeOfPackage(): Promise<number> {
  return inFolder(async (folder) => {
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      cwd: packageFolder,
    });
    await writeFile(join(folder, 'package.json'), '{ "private": true }');
    await run('npm', ['install', ...QUIET, join(folder, stdout.trim())], { cwd: folder });
  });
}

function sizeOfCheckout(): Promise<number> {
  return inFolder(async (folder) => {
    for (const file of ['package.json', 'package-lock.json']) {
      await copyFile(join(packageFolder, file), join(folder, file));
    }
    await run('npm', ['ci', '--omit=dev', ...QUIET], { cwd: folder });
  });
}

/** @returns megabytes (2^20 bytes) of the folder's node_modules */
async function inFolder(install: (folder: string) => Promise<void>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-bench-install-'));
  try {
    await install(folder);
    const { stdout } = await run('du', ['-sm', join(folder, 'node_modules')]);
    return Number.parseInt(stdout, 10);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
