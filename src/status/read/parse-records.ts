import { z } from 'zod';

const parkedSchema = z.object({ scope: z.string(), name: z.string().nullish(), queue: z.string().default('tasks') });

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
