/**
 * Compares benchmarks of this checkout with those of another one, whose `dist` is built: `npm run compare -- FOLDER NAME…`. Both run in
 * turn, five times, so that other load on the machine affects both; each line shows the medians and their ratio.
 *
 *   git worktree add /tmp/before 68b03d5 && (cd /tmp/before && npm ci)
 *   npm run compare -- /tmp/before concurrency latency throughput
 *   npm run compare -- /tmp/before latency --rounds 9
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string' } } });
const [other, ...names] = positionals;
const rounds = Number(values.rounds ?? 5);
const mainOf = (folder) => join(folder, 'dist/bench/main.js');
if (other === undefined || names.length === 0 || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write('compare: expected FOLDER NAME…, and perhaps --rounds N of at least 1\n');
  process.exit(2);
}
if (!existsSync(mainOf(other))) {
  process.stderr.write(`compare: ${mainOf(other)} is missing; build that checkout with npm ci\n`);
  process.exit(2);
}

/** By name of a line: its values before and now. */
const lines = new Map();
const folders = [other, fileURLToPath(new URL('..', import.meta.url))];
for (let round = 0; round < rounds; round += 1) {
  for (const [side, folder] of folders.entries()) {
    for (const { name, value, unit } of runBench(folder)) {
      const line = lines.get(name) ?? { unit, values: [[], []] };
      line.values[side].push(value);
      lines.set(name, line);
    }
  }
  process.stderr.write(`  round ${round + 1} of ${rounds}\n`);
}
for (const [name, { unit, values: sides }] of lines) {
  const [before, now] = sides.map(median);
  const shown = [before, now].map((value) => (value === null ? '–' : value.toFixed(2)).padStart(12)).join('');
  const ratio = before === null || now === null || before === 0 ? '–' : (now / before).toFixed(3);
  process.stdout.write(`${name.padEnd(56)}${shown} ${unit.padEnd(8)} now / before ${ratio.padStart(7)}\n`);
}

/** A line of the table: two blanks, the name, its value and unit, and perhaps its bar. A bar that does not hold here ends nothing. */
function runBench(folder) {
  const { stdout, error } = spawnSync(process.execPath, [mainOf(folder), ...names], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error !== undefined) throw error;
  const found = [...stdout.matchAll(/^ {2}(\S.*?) {2,}(-?[\d.]+) (\S+)/gm)];
  if (found.length === 0) throw new Error(`${folder}: ${names.join(' ')} printed no line`);
  return found.map(([, name, value, unit]) => ({ name, value: Number(value), unit }));
}

function median(list) {
  return list.length === 0 ? null : list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
}
