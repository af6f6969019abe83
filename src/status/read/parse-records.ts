import { z } from 'zod';
import type { WorkerStatus } from '../types.ts';

const workerSchema = z.object({
  id: z.string(),
  host: z.string().default(''),
  pid: z.number().default(0),
  slots: z.number().default(0),
  active: z.array(z.string()).default([]),
  workspaces: z.array(z.string()).default([]),
  startedAt: z.coerce.string().default(''),
  seenAt: z.number(),
});

const parkedSchema = z.object({ scope: z.string(), name: z.string().nullish(), queue: z.string().default('tasks') });

/** A worker without a heartbeat for so long counts as gone: its public heartbeat expires after the same time. */
const WORKER_GONE_MS = 60_000;

/** The live workers among heartbeats, by id. A record that cannot be read counts as gone. */
export function parseWorkers(records: Record<string, string>, nowMs: number): WorkerStatus[] {
  return Object.values(records)
    .map((text) => workerSchema.safeParse(parseJson(text)).data)
    .filter((worker) => worker !== undefined)
    .filter((worker) => nowMs - worker.seenAt < WORKER_GONE_MS)
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** Groups parked jobs by what they wait for, most first. */
export function groupParked(records: string[]): { scope: string; name: string | null; count: number }[] {
  const groups = new Map<string, { scope: string; name: string | null; count: number }>();
  for (const text of records) {
    const { scope, name = null } = parkedSchema.safeParse(parseJson(text)).data ?? { scope: 'unknown' };
    const key = JSON.stringify([scope, name]);
    const group = groups.get(key) ?? { scope, name, count: 0 };
    group.count += 1;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

/** How many of the parked jobs are in this queue. A record without a queue is of a task: older versions parked no other job. */
export function countParked(records: string[], queue: string): number {
  return records.filter((text) => (parkedSchema.safeParse(parseJson(text)).data?.queue ?? 'tasks') === queue).length;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
