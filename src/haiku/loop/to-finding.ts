import type { TaskData } from '../../../queues/tasks.ts';
import { createFinding } from '../../findings/create-finding.ts';
import type { Finding, Handover, ToolErrors } from '../../findings/finding.ts';
import type { JobTotals, TaskIdentity } from '../../ledger/types.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import { PROMPT_VERSION } from './prompt.ts';
import type { ToolState } from '../tools/tool.ts';

/** Returns the finding of a completed task, with the citations and the changes that its tools recorded. */
export function toFinding(parts: {
  identity: TaskIdentity;
  task: TaskData;
  value: unknown;
  isPartial: boolean;
  totals: JobTotals;
  state: ToolState;
  /** Null: no tool call failed. */
  toolErrors: ToolErrors | null;
  entry: CatalogEntry;
  workerId: string;
  recovered: number;
  endedAt: Date;
  /** What the task changed in a tree of its own. Null: what its tools recorded is all that is known. */
  finished: Pick<Finding, 'changes' | 'patch'> | null;
  /** Empty: one model did the whole task. */
  routed: Handover[];
  /** Null: all vendors may be sent it. */
  vendors: readonly string[] | null;
}): Finding {
  const { identity, task, value, isPartial, totals, state, toolErrors, entry, workerId, recovered, endedAt, finished } =
    parts;
  const { routed, vendors } = parts;
  return createFinding({
    identity,
    workerId,
    storedAt: endedAt.toISOString(),
    task: task.description,
    result: value,
    isPartial,
    kind: task.assist === undefined ? (task.kind ?? 'other') : 'assist',
    model: entry,
    promptVersion: PROMPT_VERSION,
    totals,
    citations: [...state.citations],
    simulatedCitations: [...state.simulated],
    changes: finished?.changes ?? [...state.changes.values()],
    ...(finished?.patch === undefined ? {} : { patch: finished.patch }),
    topics: task.topics ?? [],
    recovered,
    routed,
    vendors,
    toolErrors,
  });
}
