import type { z } from 'zod';
import type { TaskData } from '../../queues/tasks.ts';
import type { Finding } from '../findings/finding.ts';
import { summarise } from '../findings/stored.ts';
import { toLocalTimestamp } from '../findings/timestamp.ts';
import { toUsdString } from '../pricing/money.ts';
import type { JobTotals, TaskIdentity } from '../ledger/types.ts';
import { toTotalTokens } from '../pricing/tokens.ts';
import type { CatalogEntry } from '../pricing/catalog.ts';
import { PROMPT_VERSION } from './prompt.ts';
import type { ToolState } from './tools/tool.ts';

/** The finding of a completed task, as SPEC lays it out: `files_changed` and `citations` are what its tools really did. */
export function toFinding(parts: {
  identity: TaskIdentity;
  task: TaskData;
  value: unknown;
  totals: JobTotals;
  state: ToolState;
  entry: CatalogEntry;
  workerId: string;
  recovered: number;
  at: Date;
}): Finding {
  const { identity, task, value, totals, state, entry, workerId, recovered, at } = parts;
  const changes = [...state.changes.values()];
  return {
    finding_id: identity.findingId,
    worker_id: workerId,
    timestamp: toLocalTimestamp(at),
    task: task.description,
    result: value as z.output<z.ZodJSONSchema>,
    files_changed: changes.map((change) => change.path),
    citations: [...state.citations],
    tokens_used: toTotalTokens(totals.usage),
    cost: Number(toUsdString(totals.nanoUsd, 6)),
    at: at.toISOString(),
    summary: summarise(value),
    session: identity.session,
    batch: identity.batch,
    mission_id: identity.missionId,
    job_id: identity.jobId,
    model: entry.id,
    vendor: entry.vendor,
    prompt_version: PROMPT_VERSION,
    kind: task.kind ?? 'other',
    changes,
    topics: task.topics ?? [],
    status: 'completed',
    usage: totals.usage,
    recovered,
  };
}
