import { setTimeout as sleep } from 'node:timers/promises';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { startFleetProcess, type FleetProcess } from './fleet-process.ts';
import { median, type Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

/** The long form: `BENCH_SOAK_MINUTES=30`. */
const MINUTES = Number(process.env['BENCH_SOAK_MINUTES'] ?? 0.5);
const SAMPLES = 60;
const MOST_WAITING = 200;
const TOPIC = 'soak';
const ADDED_AT_ONCE = 100;
const ASK_EVERY_MS = 2_000;
const MISSION_EVERY_MS = 10_000;
/** The last third of the time may need so much more than the middle one: garbage is collected in steps. */
const MOST_RATIO = 1.25;

const PARTS = ['haiku', 'librarian', 'coordinator'] as const;
/** Resident sets in MB, by process, one a sample. */
type Samples = Record<(typeof PARTS)[number] | 'redis', number[]>;

/**
 * Measures the memory of each process over time, under steady work of tasks, questions and missions. stderr shows each sample. What
 * Redis holds grows with the findings, so only the processes have a bar.
 */
export async function measureSoak(): Promise<Measure[]> {
  const scratch = await startScratchRedis();
  const env = { FLEET_SWARM: 'soak', FLEET_HAIKU_CONCURRENCY: '20' };
  const fleet = await openFleet(scratch.config(env));
  const processes: FleetProcess[] = [];
  const samples: Samples = { haiku: [], librarian: [], coordinator: [], redis: [] };
  const over = new AbortController();
  try {
    for (const name of PARTS) processes.push(await startFleetProcess(name, scratch.env(env)));
    await fleet.tasks.addMany(toTasks({ topics: [TOPIC] }));
    const working = [
      repeatUntil(over.signal, 50, () => addTasks(fleet)),
      repeatUntil(over.signal, ASK_EVERY_MS, () => ask(fleet)),
      repeatUntil(over.signal, MISSION_EVERY_MS, async () => void (await fleet.missions.add({ goal: 'Say done.' }))),
    ];
    const everyMs = (MINUTES * 60_000) / SAMPLES;
    const began = performance.now();
    for (let i = 1; i <= SAMPLES; i += 1) {
      await Promise.race([sleep(began + i * everyMs - performance.now()), ...working]); // which end only by an error
      for (const [n, name] of PARTS.entries()) samples[name].push((await processes[n]?.mb()) ?? Number.NaN);
      samples.redis.push(await readRedisMb(fleet));
      const shown = Object.entries(samples).map(([name, values]) => `${name} ${Math.round(values.at(-1) ?? 0)} MB`);
      process.stderr.write(`  ${Math.round((performance.now() - began) / 1_000)} s: ${shown.join(', ')}\n`);
    }
    over.abort();
    await Promise.all(working);
    return [
      { name: `findings in ${MINUTES} minutes`, value: await fleet.findings.count(), unit: 'findings' },
      ...PARTS.flatMap((name) => toMeasures(name, samples[name])),
      { name: 'redis, its data at the end', value: samples.redis.at(-1) ?? 0, unit: 'MB' },
    ];
  } finally {
    over.abort();
    await Promise.all(processes.map((one) => one.end('SIGTERM')));
    await fleet.close();
    await scratch.stop();
  }
}

function toMeasures(name: string, values: readonly number[]): Measure[] {
  const third = Math.floor(values.length / 3);
  const parts = [0, 1, 2].map((part) => median(values.slice(part * third, (part + 1) * third)));
  const [first = 0, middle = 0, last = 0] = parts;
  return [
    { name: `${name}, first third, median`, value: first, unit: 'MB' },
    { name: `${name}, last third, median`, value: last, unit: 'MB' },
    { name: `${name}, peak`, value: Math.max(...values), unit: 'MB' },
    { name: `${name}, last third / middle third`, value: last / middle, unit: 'ratio', bar: { atMost: MOST_RATIO } },
  ];
}

async function addTasks(fleet: OpenFleet): Promise<void> {
  if ((await fleet.inner.queues.tasks.getWaitingCount()) >= MOST_WAITING) return;
  await fleet.tasks.addMany(toTasks());
}

function toTasks(more: { topics?: string[] } = {}) {
  return Array.from({ length: ADDED_AT_ONCE }, (_, i) => ({ description: `Say ${i} [[turns:2]]`, ...more }));
}

/** Asks of the first findings only: with all, each prompt would be longer than the one before, and so would be the memory. */
async function ask(fleet: OpenFleet): Promise<void> {
  await fleet.ask(`What is known? ${Math.random()}`, { filter: { topic: TOPIC } });
}

async function readRedisMb({ inner }: OpenFleet): Promise<number> {
  const info = await inner.db.redis.info('memory');
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? Number.NaN) / 2 ** 20;
}

async function repeatUntil(signal: AbortSignal, everyMs: number, act: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await act();
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
