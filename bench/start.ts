import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageFolder } from '../src/config/package-folder.ts';
import { median, type Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

/** Count of measured rounds. One round before them fills the disk's cache. */
const ROUNDS = 15;

/** The commands, each with its longest time as a multiple of the time of an empty Node program. */
const COMMANDS = [
  { name: '--version', atMost: 3 },
  { name: '--help', atMost: 3 },
  { name: 'status', atMost: 8 },
] as const;

/** Code that every measured program runs when it exits: it writes the CPU time of the process, in µs, to descriptor 3. */
const REPORT_CPU = `process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  require('node:fs').writeSync(3, String(user + system));
});`;

interface Times {
  cpuMs: number;
  wallMs: number;
}

/** Measures the time of command lines from start to end, compared with a Node program that does nothing. */
export async function measureStart(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const report = join(redis.folder, 'report-cpu.cjs');
    writeFileSync(report, REPORT_CPU);
    const env = { ...process.env, FLEET_HOME: redis.folder, FLEET_DATA: redis.folder, REDIS_URL: redis.url };
    const run = (...args: string[]): Promise<Times> => timeNode(['--require', report, ...args], env);
    const main = join(packageFolder, 'dist/src/cli/main.js');
    const empty: Times[] = [];
    const ratios = COMMANDS.map((): Times[] => []);
    for (let round = 0; round <= ROUNDS; round += 1) {
      const nothing = await run('-e', '0');
      for (const [i, { name }] of COMMANDS.entries()) {
        const { cpuMs, wallMs } = await run(main, name);
        if (round > 0) ratios[i]?.push({ cpuMs: cpuMs / nothing.cpuMs, wallMs: wallMs / nothing.wallMs });
      }
      if (round > 0) empty.push(nothing);
    }
    return [
      { name: 'node -e 0, CPU time', value: median(empty.map(({ cpuMs }) => cpuMs)), unit: 'ms' },
      { name: 'node -e 0, time', value: median(empty.map(({ wallMs }) => wallMs)), unit: 'ms' },
      ...COMMANDS.flatMap(({ name, atMost }, i) => toMeasures(name, atMost, ratios[i] ?? [])),
    ];
  } finally {
    await redis.stop();
  }
}

/** @param ratios one for each round, in which the command ran right after the empty program */
function toMeasures(name: string, atMost: number, ratios: readonly Times[]): Measure[] {
  const bar = { atMost };
  return [
    {
      name: `fleet ${name} / node -e 0, CPU time`,
      value: median(ratios.map(({ cpuMs }) => cpuMs)),
      unit: 'ratio',
      bar,
    },
    { name: `fleet ${name} / node -e 0, time`, value: median(ratios.map(({ wallMs }) => wallMs)), unit: 'ratio', bar },
  ];
}

/** @throws Error if the program does not end with exit code 0 */
async function timeNode(args: string[], env: NodeJS.ProcessEnv): Promise<Times> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const ended = once(child, 'exit').then(([code]) => ({ code: Number(code), wallMs: performance.now() - began }));
  const cpu = child.stdio[3];
  if (cpu === null || cpu === undefined || !('read' in cpu)) throw new Error('descriptor 3 of the program is missing');
  const [{ code, wallMs }, micros] = await Promise.all([ended, text(cpu)]);
  if (code !== 0) throw new Error(`node ${args.join(' ')}: exit code ${code}`);
  return { cpuMs: Number(micros) / 1_000, wallMs };
}
