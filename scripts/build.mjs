/** Builds `dist/`, a mirror of the source tree: compiled TypeScript, and all other files (Lua, pages) unchanged. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, renameSync, rmSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = `${root}node_modules/typescript/bin/tsc`;
const fresh = `${root}dist.new`; // built apart and then renamed, so that running processes never read half a build
const old = `${root}dist.old`;

if (!existsSync(compiler)) {
  if (existsSync(`${root}dist/src/index.js`)) process.exit(0); // a production install of a built package
  console.error('build: typescript is missing; run `npm ci` with development dependencies first');
  process.exit(1);
}

rmSync(fresh, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, '-p', `${root}tsconfig.build.json`, '--outDir', fresh], {
  stdio: 'inherit',
});
if (status !== 0) {
  rmSync(fresh, { recursive: true, force: true });
  process.exit(status ?? 1);
}

for (const folder of ['queues', 'src', 'workers', 'dashboards']) {
  cpSync(`${root}${folder}`, `${fresh}/${folder}`, { recursive: true, filter: (path) => extname(path) !== '.ts' });
}
chmodSync(`${fresh}/src/cli/main.js`, 0o755);

rmSync(old, { recursive: true, force: true });
if (existsSync(`${root}dist`)) renameSync(`${root}dist`, old);
renameSync(fresh, `${root}dist`);
rmSync(old, { recursive: true, force: true });
