/** `npm ci` in a checkout: builds, and installs the git hooks where somebody commits. Hooks never fail an install. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const build = spawnSync(process.execPath, [at('scripts/build.mjs')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);

const lefthook = at('node_modules/lefthook/bin/index.js');
if (existsSync(at('.git')) && !process.env.CI && existsSync(lefthook)) {
  spawnSync(process.execPath, [lefthook, 'install'], { cwd: at('.'), stdio: 'ignore' });
}
