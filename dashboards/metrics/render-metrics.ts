import type { Queue } from 'bullmq';
import type { Db } from '../../src/redis/db.ts';
import type { StatusSnapshot } from '../../src/status/types.ts';
import { readTallies } from '../../src/swarm/tallies/read-tallies.ts';
import { readOldestWaiting } from './oldest-waiting.ts';
import { createStateRegistry } from './state-metrics.ts';
import { addTallies, formatDurations } from './tally-metrics.ts';

/** Renders the fleet's state and its counts in the Prometheus text format, followed by BullMQ's own metrics. */
export async function renderMetrics(db: Db, snapshot: StatusSnapshot, queues: readonly Queue[]): Promise<string> {
  const { swarm } = snapshot;
  const [tallies, oldest, ...theirs] = await Promise.all([
    readTallies(db),
    readOldestWaiting(db),
    ...queues.map((queue) => queue.exportPrometheusMetrics({ swarm })),
  ]);
  const registry = createStateRegistry(snapshot, oldest);
  addTallies(registry, tallies);
  const own = await registry.metrics();
  const parts = [own.trimEnd(), ...formatDurations(tallies, swarm), mergeFamilies(theirs)];
  return `${parts.join('\n\n')}\n`;
}

/** Merges the exports of the queues. Each repeats the HELP and TYPE lines; the format allows each once, before its samples. */
function mergeFamilies(exports: string[]): string {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  for (const line of exports.join('\n').split('\n').filter(Boolean)) {
    const name = /^(?:# (?:HELP|TYPE) )?([a-zA-Z_:][\w:]*)/.exec(line)?.[1] ?? '';
    const family = families.get(name) ?? { head: [], samples: [] };
    families.set(name, family);
    if (!line.startsWith('#')) family.samples.push(line);
    else if (!family.head.includes(line)) family.head.push(line);
  }
  return [...families.values()].flatMap(({ head, samples }) => [...head, ...samples]).join('\n');
}
