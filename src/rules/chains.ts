import { z } from 'zod';
import type { ChainLink } from '../../queues/origin.ts';
import type { TaskInput } from '../../queues/tasks.ts';
import { scanHash } from '../ledger/scan-hash.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord, toStoredTime } from '../redis/stored-record.ts';
import { toOneLine } from '../text/one-line.ts';
import { PARK_REASONS, type ChainSelection, type ParkedChain, type ParkReason } from './types.ts';

const firingSchema = z.object({
  rule: z.string(),
  finding: z.string(),
  chain: z.array(z.object({ rule: z.string(), finding: z.string() })).min(1),
  // It may break a rule of tasks: that is why some chains are parked. Whoever adds it checks it.
  input: z.looseObject({ description: z.string() }),
  client: z.string().optional(),
  vendors: z.array(z.string()).optional(),
  max_depth: z.number().optional(),
  problem: z.string().optional(),
});

/** A task that a rule starts, or did not start: what Redis holds of it while it is being added, or parked. */
export interface Firing {
  rule: string;
  finding: string;
  chain: ChainLink[];
  input: TaskInput;
  /** Who pays for it. */
  client?: string;
  /** The vendors that may see the finding, whose text the task may hold. Absent: all. */
  vendors?: string[];
  /** Of the rule, when it fired. */
  max_depth?: number;
  /** The rule of tasks that the task breaks. */
  problem?: string;
}

/** A parked chain as Redis holds it. */
export interface HeldChain {
  taskId: string;
  /** The value of its field. */
  text: string;
  why: ParkReason;
  parkedAt: Date;
  firing: Firing;
}

/** @returns null: it is damaged */
export function parseFiring(text: string): Firing | null {
  return (firingSchema.safeParse(parseRecord(text)).data as Firing | undefined) ?? null;
}

export function toParkedText(why: ParkReason, at: number, firing: Firing): string {
  return `${why}|${at}|${JSON.stringify(firing)}`;
}

/** Reads parked chains that are wanted, a page at a time. */
export async function* eachChain(db: Db, wanted: ChainSelection | null): AsyncGenerator<HeldChain> {
  const { redis, keys } = db;
  if (wanted !== null && 'taskIds' in wanted) {
    for (const taskId of wanted.taskIds) {
      const chain = parseHeld(taskId, (await redis.hget(keys.rulesParked, taskId)) ?? '');
      if (chain !== null) yield chain;
    }
    return;
  }
  for await (const [taskId, text] of scanHash(redis, keys.rulesParked)) {
    const chain = parseHeld(taskId, text);
    if (chain !== null && (wanted === null || chain.firing.rule === wanted.rule)) yield chain;
  }
}

function parseHeld(taskId: string, text: string): HeldChain | null {
  const [why = '', at = '', ...rest] = text.split('|');
  const firing = parseFiring(rest.join('|'));
  if (firing === null || !PARK_REASONS.some((reason) => reason === why)) return null;
  return { taskId, text, why: why as ParkReason, parkedAt: toStoredTime(at), firing };
}

export function toParkedChain({ taskId, why, parkedAt, firing }: HeldChain): ParkedChain {
  const { rule, finding, chain } = firing;
  return { taskId, rule, finding, chain, why, detail: describe(why, firing), parkedAt: parkedAt.toISOString() };
}

function describe(why: ParkReason, { rule, chain, max_depth: most = 1, problem = '' }: Firing): string {
  switch (why) {
    case 'depth':
      return `it would be rule ${chain.length} of its chain, and rule ${rule} allows ${most} (--max-depth)`;
    case 'budget': {
      const rules = [...new Set(chain.map((link) => link.rule))].join(', ');
      return `the budget of a rule of its chain (${rules}) is used up; fleet budget USD --rule NAME`;
    }
    case 'invalid':
      return `its task breaks a rule: ${toOneLine(problem, 300)}`;
  }
}

/** Counts the parked chains by rule. */
export async function countChains(db: Db): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const { firing } of eachChain(db, null)) counts.set(firing.rule, (counts.get(firing.rule) ?? 0) + 1);
  return counts;
}

/** How many chains `releasePaid` would release. */
export async function countUnpaid(db: Db, rule: string): Promise<number> {
  let count = 0;
  for await (const _chain of eachUnpaid(db, rule)) count += 1;
  return count;
}

/** The chains that this rule's budget had parked. */
async function* eachUnpaid(db: Db, rule: string): AsyncGenerator<HeldChain> {
  for await (const chain of eachChain(db, null)) {
    if (chain.why === 'budget' && chain.firing.chain.some((link) => link.rule === rule)) yield chain;
  }
}

/**
 * Turns the chains that this rule's budget had parked into tasks that are to be added: the process that runs the rules adds them.
 * @returns how many
 */
export async function releasePaid(db: Db, rule: string): Promise<number> {
  const { scripts, keys } = db;
  let released = 0;
  for await (const { taskId, text, firing } of eachUnpaid(db, rule)) {
    const answer = await scripts['release-chain'](
      { rule: keys.rule(firing.rule), pending: keys.rulesPending, parked: keys.rulesParked },
      [taskId, text, JSON.stringify(firing)],
    );
    if (answer === 'released') released += 1;
  }
  return released;
}

/** Forgets parked chains. @returns how many */
export async function dropChains(db: Db, wanted: ChainSelection): Promise<number> {
  const { scripts, keys } = db;
  let dropped = 0;
  for await (const { taskId, text } of eachChain(db, wanted))
    dropped += await scripts['delete-if']({ hash: keys.rulesParked }, [taskId, text]);
  return dropped;
}
