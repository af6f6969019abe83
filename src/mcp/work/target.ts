import { z } from 'zod';
import { UsageError } from '../../errors.ts';
import type { WorkTarget } from './types.ts';

const MOST_IDS = 200;

/** The input by which tools name work. */
export const targetFields = {
  batch: z.string().min(1).max(200).optional(),
  ids: z.array(z.string().min(1).max(200)).min(1).max(MOST_IDS).optional().describe('of tasks, questions or missions'),
};

/** @throws UsageError unless exactly one of the two is given */
export function toTarget(
  tool: string,
  { batch, ids }: { batch?: string | undefined; ids?: string[] | undefined },
): WorkTarget {
  if (batch !== undefined && ids === undefined) return { batch };
  if (ids !== undefined && batch === undefined) return { ids };
  throw new UsageError(`${tool}: expected batch or ids, ${batch === undefined ? 'got neither' : 'not both'}`);
}
