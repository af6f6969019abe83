import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { readFindingTexts } from '../src/findings/stored.ts';
import { createArchiveContext } from '../src/librarian/archive/context.ts';
import { toArchiveEntry } from '../src/librarian/archive/entry.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const FINDINGS = 5_000;
/** UTF-8 bytes of one finding in the prompt: 160 tokens, 800,000 tokens in all. */
const BYTES_EACH = 640;
const MANY_FINDINGS = 50_000;
const ROUNDS = 25;
const COLD_ROUNDS = 9;
const EVERYTHING = { question: 'What is the yield of field 17?', maxBytes: 900_000 * 4 };

/** Measures the archive in memory: the first load, a refresh after one new finding, and reading all findings again. */
export async function measureArchiveContext(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  try {
    const fleet = await openFleet(redis.config({ FLEET_SWARM: 'archive' }));
    await fill(fleet, 0, FINDINGS);
    const cold: number[] = [];
    for (let round = 0; round < COLD_ROUNDS; round += 1) cold.push(await timeOf(() => createAndShow(fleet)));
    const warm: number[] = [];
    const again: number[] = [];
    const context = createArchiveContext(fleet.inner.db);
    await context.refresh();
    await context.show(EVERYTHING);
    for (let round = 0; round < ROUNDS; round += 1) {
      await fill(fleet, FINDINGS + round, 1);
      warm.push(
        await timeOf(async () => {
          await context.refresh();
          flatten((await context.show(EVERYTHING)).text);
        }),
      );
      again.push(await timeOf(() => readAllAgain(fleet)));
    }
    const tokens = context.stats().bytes / 4;
    await fill(fleet, FINDINGS + ROUNDS, MANY_FINDINGS - FINDINGS - ROUNDS);
    const { peakMb, loadedMs } = await measureHolder(redis.url, 'archive');
    await fleet.close();
    return [
      {
        name: `${FINDINGS} findings of ${Math.round(tokens / 1_000)}k tokens, cold`,
        value: best(cold),
        unit: 'ms',
        bar: { atMost: 150 },
      },
      { name: 'the same, warm, after one new finding', value: best(warm), unit: 'ms', bar: { atMost: 5 } },
      {
        name: 'reading every finding again / warm',
        value: best(again) / best(warm),
        unit: 'ratio',
        bar: { atLeast: 10 },
      },
      { name: `load of ${MANY_FINDINGS} in a process`, value: loadedMs, unit: 'ms', bar: { atMost: 3_000 } },
      { name: `memory of a process that holds ${MANY_FINDINGS}`, value: peakMb, unit: 'MB', bar: { atMost: 400 } },
    ];
  } finally {
    await redis.stop();
  }
}

/** Returns the shortest time: other load on the machine can only add to it. */
function best(times: number[]): number {
  return Math.min(...times);
}

async function createAndShow(fleet: OpenFleet): Promise<void> {
  const context = createArchiveContext(fleet.inner.db);
  await context.refresh();
  flatten((await context.show(EVERYTHING)).text);
}

/** Does what a librarian would do for each question if it held no findings in memory. */
async function readAllAgain({ inner: { db } }: OpenFleet): Promise<void> {
  const { redis, keys } = db;
  const ids = await redis.zrange(keys.index, 0, '-1');
  const blocks: string[] = [];
  for (let from = 0; from < ids.length; from += 500) {
    const page = ids.slice(from, from + 500);
    const texts = await readFindingTexts(db, page);
    for (const [i, id] of page.entries()) blocks.push(toArchiveEntry(id, texts[i] ?? '')?.block ?? '');
  }
  flatten(blocks.join(''));
}

/** Reads in a text. V8 builds a joined text only when it is first read, and the measured time must include this. */
function flatten(text: string): void {
  if (Number.isNaN(text.charCodeAt(text.length >> 1))) throw new Error('the archive is empty');
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function fill({ inner }: OpenFleet, from: number, count: number): Promise<void> {
  const { redis, keys } = inner.db;
  for (let start = from; start < from + count; start += 1_000) {
    const chain = redis.pipeline();
    for (let i = start; i < Math.min(start + 1_000, from + count); i += 1) {
      const id = `finding_${String(i).padStart(8, '0')}`;
      const finding = {
        finding_id: id,
        task: `Measure field ${i}`,
        result: `The yield of field ${i} is ${i % 97} bushels. ${'All is well in the fields. '.repeat(20)}`.slice(
          0,
          BYTES_EACH - 120,
        ),
        at: new Date(i * 1_000).toISOString(),
        session: `s${i % 10}`,
      };
      chain
        .set(keys.finding(id), JSON.stringify(finding))
        .zadd(keys.index, i * 1_000, id)
        .xadd(keys.events, 'MAXLEN', '~', 10_000, '*', 'finding', id);
    }
    await chain.exec();
  }
}

/** Loads the archive in a process, which composes prompts from it. @returns its peak resident memory, and how long the load took */
async function measureHolder(url: string, swarm: string): Promise<{ peakMb: number; loadedMs: number }> {
  const child = fork(fileURLToPath(new URL('archive-holder.js', import.meta.url)), [url, swarm], { stdio: 'inherit' });
  const [measured] = (await once(child, 'message')) as [{ peakMb: number; loadedMs: number }];
  if (child.exitCode === null) await once(child, 'exit');
  return measured;
}
