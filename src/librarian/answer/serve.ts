import type { ArchiveQuery } from '../../../queues/archive.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import { TaskFailedError } from '../../errors.ts';
import type { PaidCalls } from '../../ledger/calls/paid-calls.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
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
  const { prompts, now } = parts;
  const routing = withAllowed(parts.routing, query);
  const router = new ShardRouter(routing, {
    calls,
    pace: routing.pacer?.enter({ isCounted: false, note: (line) => run.job.log(line) }),
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

/**
 * Leaves out the models whose vendor may not see the question.
 * @throws TaskFailedError `model`: none is left
 */
function withAllowed(
  routing: RoutingParts,
  { vendors, allow_fallback: allowFallback = true }: ArchiveQuery,
): RoutingParts {
  if (vendors === undefined) return routing;
  const entryOf = (member: RoutingParts['chain'][number]): CatalogEntry | undefined =>
    member === 'shards' ? [...routing.shards.values()][0]?.payer.entry : member.payer.entry;
  const asked = allowFallback ? routing.chain : routing.chain.slice(0, 1);
  const chain = asked.filter((member) => vendors.includes(entryOf(member)?.vendor ?? ''));
  if (chain.length > 0) return { ...routing, chain };
  const names = asked.map((member) => entryOf(member)?.id ?? 'the shards').join(', ');
  throw new TaskFailedError(
    'model',
    `${names}: no model of the archive is of ${vendors.join(' or ') || 'no vendor'}, and the question's workspace allows no other (;vendors=… in FLEET_WORKSPACES)`,
  );
}

function toPaperRules({ paper, shard_failure: failure }: ArchiveQuery, { job }: JobRun): PaperRules | null {
  if (paper === undefined) return null;
  return {
    exclude: paper.exclude ?? [],
    failure: failure ?? null,
    keepFailure: (next) => job.updateData({ ...(job.data as object), shard_failure: next }),
  };
}
