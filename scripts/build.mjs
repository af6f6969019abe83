/** Builds `dist/`, a mirror of the source tree: compiled TypeScript, and every other file (Lua, CSS, client script) as it is. */
import { spawnSync } from 'node:child_process';
import { cpSync, chmodSync, existsSync, rmSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));

if (!existsSync(compiler)) {
  if (existsSync(`${root}dist/src/index.js`)) process.exit(0); // a production install of a built package
  console.error('build: typescript is missing; run `npm ci` with development dependencies first');
  process.exit(1);
}

rmSync(`${root}dist`, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

for (const folder of ['queues', 'src', 'workers', 'dashboards']) {
  cpSync(`${root}${folder}`, `${root}dist/${folder}`, {
    recursive: true,
    filter: (path) => extname(path) !== '.ts',
  });
}
chmodSync(`${root}dist/src/cli/main.js`, 0o755);
