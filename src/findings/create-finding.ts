import type { Origin } from '../../queues/origin.ts';
import { toOwner, type Owner } from '../../queues/owner.ts';
import { toUsdString } from '../pricing/money.ts';
import { NO_USAGE, toTotalTokens } from '../pricing/tokens.ts';
import { PARTIAL, type Finding, type ToolErrors } from './finding.ts';
import { summarise } from './stored.ts';
import { toLocalTimestamp } from './timestamp.ts';

/** What differs between the findings of tasks, answers, missions, summaries and shard tests. */
export interface FindingParts {
  identity: {
    findingId: string;
    jobId: string;
    session: string;
    batch: string | null;
    missionId: string | null;
    /** Of a task that a rule started: the finding that fired it is cited. */
    origin?: Origin;
  } & Owner;
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
  /** `isLocal`: it costs nothing a token. */
  model: { id: string; vendor: string; isLocal?: boolean };
  promptVersion: string;
  /** Cost and tokens of its paid calls. Default: none. */
  totals?: { nanoUsd: number; usage: Finding['usage'] };
  /** Default: none, as for the next two. */
  citations?: string[];
  /** Those of the citations that are simulated, of another swarm. */
  simulatedCitations?: string[];
  changes?: Finding['changes'];
  topics?: string[];
  /** Default 0. */
  recovered?: number;
  /** What the task changed in a tree of its own. Default: it had none. */
  patch?: Finding['patch'];
  /** Of an outside worker. Default: the fleet worked. */
  unmetered?: Finding['unmetered'];
  /** Default: one model did the whole task. */
  routed?: Finding['routed'];
  /** Null or absent: all vendors may be sent it. */
  vendors?: readonly string[] | null;
  /** Null or absent: no tool call failed. */
  toolErrors?: ToolErrors | null;
}

/** Builds every finding that the fleet stores. Its JSON has the fields in this order: the nine of older programs first. */
export function createFinding(parts: FindingParts): Finding {
  const { identity, workerId, storedAt, task, kind, model, promptVersion } = parts;
  const { totals = { nanoUsd: 0, usage: NO_USAGE }, citations = [], changes = [], topics = [], recovered = 0 } = parts;
  const { toolErrors = null, simulatedCitations = [], routed = [], vendors = null } = parts;
  const { origin } = identity;
  const cause = origin?.chain.at(-1)?.finding;
  return {
    finding_id: identity.findingId,
    worker_id: workerId,
    timestamp: toLocalTimestamp(new Date(storedAt)),
    task,
    result: parts.result as Finding['result'],
    files_changed: changes.map(({ path }) => path),
    citations: cause === undefined ? citations : [...new Set([cause, ...citations])],
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
    ...(isFreeLocal(parts) && { free_local: true as const }),
    ...(parts.patch === undefined ? {} : { patch: parts.patch }),
    ...toOwner(identity),
    ...(origin === undefined ? {} : { origin }),
    ...(parts.unmetered === undefined ? {} : { unmetered: parts.unmetered }),
    ...(simulatedCitations.length === 0 ? {} : { simulated_citations: simulatedCitations }),
    ...(routed.length === 0 ? {} : { routed }),
    ...(vendors === null ? {} : { vendors: [...vendors] }),
    ...(toolErrors === null ? {} : { tool_errors: toolErrors }),
  };
}

/** Whether a free local model made all calls that it had: another one may have begun the task. */
function isFreeLocal({ model, totals }: FindingParts): boolean {
  return model.isLocal === true && totals?.nanoUsd === 0 && toTotalTokens(totals.usage) > 0;
}
