import { findWorkerIdProblem } from '../../queues/ids.ts';
import { TASK_KINDS } from '../../queues/kinds.ts';
import { UsageError } from '../errors.ts';
import { leavesWorkspace } from '../tasks/check.ts';
import type { ClaimOptions, LeaseRef, ReportOptions } from './types.ts';

const DEFAULT_LEASE_MS = 300_000;
const LEASE_LIMITS = { least: 1_000, most: 86_400_000 };
const MOST_NAMED = 1_000;
const LONGEST_PATH = 4_096;
const MOST_TOKENS = 1_000_000_000_000;
const MOST_USD = 1_000_000;

/** @throws UsageError for a name that is no part of a key */
export function requireName(name: unknown): string {
  const problem = typeof name === 'string' ? findWorkerIdProblem(name) : 'expected a name';
  if (problem === null) return name as string;
  throw new UsageError(`as: ${problem}`);
}

/** @throws UsageError for a lease that is too short or too long */
export function requireLeaseMs(ms: unknown = DEFAULT_LEASE_MS): number {
  const { least, most } = LEASE_LIMITS;
  if (typeof ms === 'number' && ms >= least && ms <= most) return Math.round(ms);
  throw new UsageError(`lease: expected ${least} to ${most} ms (1 s to a day), got ${String(ms)}`);
}

/** @throws UsageError for a filter that could fit no task */
export function requireFilter({ task, kind, batch, shard }: ClaimOptions): void {
  for (const [name, value] of Object.entries({ task, batch, shard })) {
    if (value === undefined || (typeof value === 'string' && value !== '')) continue;
    throw new UsageError(`${name}: expected a name, got ${JSON.stringify(value)}`);
  }
  if (kind === undefined || TASK_KINDS.includes(kind)) return;
  throw new UsageError(`kind: expected ${TASK_KINDS.join(', ')}, got ${JSON.stringify(kind)}`);
}

/** @throws UsageError for an empty id or lease */
export function requireRef({ taskId, lease }: LeaseRef): void {
  if (typeof taskId !== 'string' || taskId === '') throw new UsageError('taskId: expected the id of a claimed task');
  if (typeof lease !== 'string' || lease === '')
    throw new UsageError('lease: expected the lease that the claim answered');
}

/** @returns the paths, each once. @throws UsageError for one that is not relative to the workspace */
export function requireFiles(files: ReportOptions['files'] = []): string[] {
  requireList('files', files);
  for (const file of files) {
    const isPath = file !== '' && file.length <= LONGEST_PATH && !file.includes('\0');
    if (!isPath || leavesWorkspace(file)) {
      throw new UsageError(`files: expected paths relative to the workspace, got ${JSON.stringify(file)}`);
    }
  }
  return [...new Set(files)];
}

/** @returns the ids, each once */
export function requireCitations(citations: ReportOptions['citations'] = []): string[] {
  requireList('citations', citations);
  return [...new Set(citations)];
}

/** What an outside worker says that it used. Null: it does not say. */
export interface Unmetered {
  input: number | null;
  output: number | null;
  /** US dollars. */
  costUsd: number | null;
}

/** @throws UsageError for amounts that are none */
export function requireUnmetered({ tokens, costUsd }: Pick<ReportOptions, 'tokens' | 'costUsd'>): Unmetered {
  if (tokens !== undefined && ![tokens?.input, tokens?.output].every(isCount)) {
    throw new UsageError(`tokens: expected input and output as whole numbers from 0, got ${JSON.stringify(tokens)}`);
  }
  if (costUsd !== undefined && !(typeof costUsd === 'number' && costUsd >= 0 && costUsd <= MOST_USD)) {
    throw new UsageError(`cost: expected dollars from 0 to ${MOST_USD}, got ${String(costUsd)}`);
  }
  return { input: tokens?.input ?? null, output: tokens?.output ?? null, costUsd: costUsd ?? null };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MOST_TOKENS;
}

function requireList(name: string, list: unknown): void {
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) {
    throw new UsageError(`${name}: expected a list of texts`);
  }
  if (list.length > MOST_NAMED) throw new UsageError(`${name}: expected at most ${MOST_NAMED}, got ${list.length}`);
}
