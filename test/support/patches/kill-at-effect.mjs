/**
 * Loaded into a process by `--import`: ends it with SIGKILL at its effect KILL_AT, the first being 1. An effect is a call that
 * changes files, or the start of a program. KILL_MODE `before` or `during` the effect. At its end the process
 * writes the count of its effects to the file KILL_COUNT.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env['KILL_AT'] ?? 0);
const mode = process.env['KILL_MODE'] ?? 'before';
let count = 0;

function watch(owner, name) {
  const real = owner[name];
  owner[name] = function effect(...args) {
    count += 1;
    if (count !== at) return Reflect.apply(real, this, args);
    if (mode === 'during') Reflect.apply(real, this, args);
    process.kill(process.pid, 'SIGKILL');
    return undefined;
  };
}

for (const name of ['rename', 'link', 'unlink', 'writeFile', 'mkdir', 'symlink', 'rmdir', 'rm', 'copyFile', 'open']) {
  watch(fs.promises, name);
}
watch(childProcess, 'spawn');
syncBuiltinESMExports();
process.on('exit', () => {
  if (process.env['KILL_COUNT'] !== undefined) fs.writeFileSync(process.env['KILL_COUNT'], String(count));
});
