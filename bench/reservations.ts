import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AMPLE_LIMITS } from '../simulator/anthropic/limits/token-limits.ts';
import { startAnthropicSimulator } from '../simulator/anthropic/server.ts';
import type { SimulatedModel } from '../simulator/model/types.ts';
import { openFleet, type OpenFleet } from '../src/api/open-fleet.ts';
import { readHalt } from '../src/halt/halt.ts';
import { readBudget } from '../src/ledger/budget.ts';
import { parseReservation } from '../src/ledger/reservation.ts';
import { startFleetProcess } from './fleet-process.ts';
import type { Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const SLOTS = 40;
const TASKS = 60;
const BUDGET_USD = 1;
const FILES = ['first.md', 'second.md'];
const LINE = 'The shop sold more tea than coffee in the first week, and the stock of green tea is low.\n';
const FILE_BYTES = 59_000;
const CALL_MS = 1_500;
const LOOK_EVERY_MS = 20;
const GIVE_UP_MS = 5 * 60_000;

/** What was seen while the tasks ran. */
interface Seen {
  /** Calls at once that have read at least one file. */
  most: number;
  /** Their worst cases, nano-dollars. */
  worsts: Map<string, number>;
  halted: boolean;
}

/**
 * Measures how many of forty slots one dollar lets work at once, where every task reads two files of 60 kB: a call must not
 * reserve many times what it costs.
 */
export async function measureReservations(): Promise<Measure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-bench-site-'));
  for (const file of FILES) writeFileSync(join(folder, file), LINE.repeat(FILE_BYTES / LINE.length));
  const redis = await startScratchRedis();
  const simulator = await startAnthropicSimulator({ latencyMs: CALL_MS, limits: AMPLE_LIMITS, model: readEachFile() });
  const settings = {
    FLEET_SWARM: 'reservations',
    FLEET_BUDGET_USD: String(BUDGET_USD),
    FLEET_HAIKU_CONCURRENCY: String(SLOTS),
    FLEET_WORKSPACES: `site=${folder}`,
    ANTHROPIC_BASE_URL: simulator.url,
  };
  const fleet = await openFleet(redis.config(settings));
  const worker = await startFleetProcess('haiku', redis.env(settings));
  try {
    await fleet.tasks.addMany(
      Array.from({ length: TASKS }, (_, i) => ({ description: `Compare the two files, ${i}`, workspace: 'site' })),
      { batch: 'reservations' },
    );
    const seen = await watch(fleet);
    const { settled } = await readBudget(fleet.inner.db, null, new Date());
    const bills = simulator.requests().filter(({ served, turn }) => served && turn > 0);
    const dearest = Math.max(...bills.map(({ billNanoUsd }) => billNanoUsd));
    const worst = Math.max(...seen.worsts.values());
    return [
      {
        name: `$${BUDGET_USD}, ${SLOTS} slots, reads of 60 kB: calls at once`,
        value: seen.most,
        unit: 'calls',
        bar: { atLeast: 30 },
      },
      { name: '  dearest reservation', value: worst / 1e9, unit: 'USD' },
      { name: '  dearest call', value: dearest / 1e9, unit: 'USD' },
      { name: '  halts of the fleet', value: seen.halted ? 1 : 0, unit: 'calls', bar: { exactly: 0 } },
      { name: '  booked', value: settled / 1e9, unit: 'USD', bar: { atMost: BUDGET_USD } },
    ];
  } finally {
    await worker.end('SIGTERM');
    await fleet.close();
    await simulator.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads one file a turn, then answers. */
function readEachFile(): SimulatedModel {
  return {
    reply({ messages }) {
      const turn = messages.filter(({ role }) => role === 'assistant').length;
      const file = FILES[turn];
      if (file === undefined) return { content: [{ type: 'text', text: 'They say the same.' }] };
      return { content: [{ type: 'tool_use', name: 'read', input: { file_path: file } }] };
    },
  };
}

/** Looks until every task has ended, or the fleet is halted. */
async function watch({ inner: { db, queues } }: OpenFleet): Promise<Seen> {
  const seen: Seen = { most: 0, worsts: new Map(), halted: false };
  const deadline = Date.now() + GIVE_UP_MS;
  for (;;) {
    const reservations = Object.entries(await db.redis.hgetall(db.keys.reservations))
      .map(([id, packed]) => parseReservation(id, packed))
      .filter(({ turn }) => turn !== '0');
    seen.most = Math.max(seen.most, reservations.length);
    for (const { id, nanoUsd } of reservations) seen.worsts.set(id, nanoUsd);
    const { completed = 0, failed = 0 } = await queues.tasks.getJobCounts('completed', 'failed');
    seen.halted = (await readHalt(db)) !== null;
    if (seen.halted || completed + failed === TASKS) return seen;
    if (Date.now() > deadline) throw new Error(`the end of every task: not within ${GIVE_UP_MS / 60_000} minutes`);
    await sleep(LOOK_EVERY_MS);
  }
}
