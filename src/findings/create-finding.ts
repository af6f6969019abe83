import { toUsdString } from '../pricing/money.ts';
import { NO_USAGE, toTotalTokens } from '../pricing/tokens.ts';
import { PARTIAL, type Finding, type ToolErrors } from './finding.ts';
import { summarise } from './stored.ts';
import { toLocalTimestamp } from './timestamp.ts';

/** What differs between the findings of tasks, answers, missions, summaries and shard tests. */
export interface FindingParts {
  identity: { findingId: string; jobId: string; session: string; batch: string | null; missionId: string | null };
  workerId: string;
  /** UTC instant, ISO 8601. */
  storedAt: string;
  task: string;
  /** Any JSON. */
  result: unknown;
  /** Whether the result is only what its worker had when its turns ended. Default false. */
  isPartial?: boolean;
  /** At most 200 characters. Default: the beginning of the result. */
  summary?: string;
  kind: string;
  model: { id: string; vendor: string };
  promptVersion: string;
  /** Cost and tokens of its paid calls. Default: none. */
  totals?: { nanoUsd: number; usage: Finding['usage'] };
  /** Default: none, as for the next two. */
  citations?: string[];
  changes?: Finding['changes'];
  topics?: string[];
  /** Default 0. */
  recovered?: number;
  /** What the task changed in a tree of its own. Default: it had none. */
  patch?: Finding['patch'];
  /** Null or absent: no tool call failed. */
  toolErrors?: ToolErrors | null;
}

/** Builds every finding that the fleet stores. Its JSON has the fields in this order: the nine of older programs first. */
export function createFinding(parts: FindingParts): Finding {
  const { identity, workerId, storedAt, task, kind, model, promptVersion } = parts;
  const { totals = { nanoUsd: 0, usage: NO_USAGE }, citations = [], changes = [], topics = [], recovered = 0 } = parts;
  const { toolErrors = null } = parts;
  return {
    finding_id: identity.findingId,
    worker_id: workerId,
    timestamp: toLocalTimestamp(new Date(storedAt)),
    task,
    result: parts.result as Finding['result'],
    files_changed: changes.map(({ path }) => path),
    citations,
    tokens_used: toTotalTokens(totals.usage),
    cost: Number(toUsdString(totals.nanoUsd, 6)),
    at: storedAt,
    summary: parts.summary ?? summarise(parts.result),
    session: identity.session,
    batch: identity.batch,
    mission_id: identity.missionId,
    job_id: identity.jobId,
    model: model.id,
    vendor: model.vendor,
    prompt_version: promptVersion,
    kind,
    changes,
    topics,
    status: parts.isPartial === true ? PARTIAL : 'completed',
    usage: totals.usage,
    recovered,
    ...(parts.patch === undefined ? {} : { patch: parts.patch }),
    ...(toolErrors === null ? {} : { tool_errors: toolErrors }),
  };
}
