/** Runs at `npm ci` in a checkout: builds, and installs the git hooks except in CI. A failing hook installation is ignored. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const toPath = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const build = spawnSync(process.execPath, [toPath('scripts/build.mjs')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);

const lefthook = toPath('node_modules/lefthook/bin/index.js');
if (existsSync(toPath('.git')) && !process.env.CI && existsSync(lefthook)) {
  spawnSync(process.execPath, [lefthook, 'install'], { cwd: toPath('.'), stdio: 'ignore' });
}
