import type { ArchiveQuery } from '../../../queues/archive.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import type { PaidCalls } from '../../ledger/paid-calls.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import type { ArchivePrompts } from './archive-prompts.ts';
import type { PaperRules } from './route.ts';
import { ShardRouter, type RoutingParts } from './shard-router.ts';
import type { ServedCall } from './types.ts';

/** One run of one query. */
export interface QueryRun {
  query: ArchiveQuery;
  run: JobRun;
  calls: PaidCalls<ArchiveReply>;
}

/**
 * Finds a model that serves the query. Shows the archive anew before every step, because findings may be stored while
 * the query waits, and because the prompt may have to be smaller.
 * @throws what `ArchivePrompts.show` and `ShardRouter` throw
 */
export async function serve(
  { query, run, calls }: QueryRun,
  parts: { prompts: ArchivePrompts; routing: RoutingParts; now(): Date },
): Promise<ServedCall> {
  const { prompts, routing, now } = parts;
  const router = new ShardRouter(routing, {
    calls,
    signal: run.signal,
    isDraining: run.isDraining,
    allowFallback: query.allow_fallback ?? true,
    paper: toPaperRules(query, run),
    log: async (line) => void (await run.job.log(`${now().toISOString()} ${line}`)),
  });
  let served: ServedCall | null = null;
  while (served === null) {
    const maxTokens = router.begin();
    const prompt = await prompts.show(query, maxTokens);
    served = await router.ask(prompt);
  }
  return served;
}

function toPaperRules({ paper, shard_failure: failure }: ArchiveQuery, { job }: JobRun): PaperRules | null {
  if (paper === undefined) return null;
  return {
    exclude: paper.exclude ?? [],
    failure: failure ?? null,
    keepFailure: (next) => job.updateData({ ...(job.data as object), shard_failure: next }),
  };
}
