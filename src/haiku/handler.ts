import { hash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import type { TaskData } from '../../queues/tasks.ts';
import type { Config } from '../config/environment.ts';
import { loadContexts } from './memory-contexts.ts';
import { TaskFailedError, toMessage } from '../errors.ts';
import { toFindingId } from '../findings/finding.ts';
import type { FindingStore } from '../findings/types.ts';
import { createModelUse } from '../jobs/outcomes/backoff.ts';
import type { JobRun } from '../jobs/worker/run-worker.ts';
import { toNanoUsd } from '../pricing/money.ts';
import type { ArchiveAsker } from '../librarian/queries/archive-asker.ts';
import { lockLost } from '../ledger/refusals.ts';
import type { TaskIdentity, TurnLedger } from '../ledger/types.ts';
import { findModel } from '../pricing/catalog.ts';
import type { Model } from '../models/model.ts';
import type { Db } from '../redis/db.ts';
import { createResultCheck } from '../tasks/result-schema.ts';
import { runTask, type CompletedTask } from './task-loop.ts';
import { createToolset } from './toolset.ts';
import type { FindingReader, ToolContext, Toolset } from './tools/tool.ts';

export interface TaskHandlerParts {
  config: Config;
  db: Db;
  model: Model;
  ledger: TurnLedger;
  findings: FindingStore;
  workerId: string;
  /** Whom tasks may ask; undefined: there is no librarian. */
  archive?: ArchiveAsker;
  /** The session a job belongs to that was not stamped with one. */
  currentSession(): Promise<string>;
}

/** How a task is run: the job's own run under a worker, or a stand-in for one in single mode. */
type TaskRunContext = Pick<JobRun, 'token' | 'signal' | 'isDraining'> & {
  jobId: string;
  attempt: number;
};

export type TaskHandler = (task: TaskData, run: TaskRunContext) => Promise<CompletedTask>;

/** Builds what turns a parsed task into a finding: finds its model, workspace and contexts, then runs the loop. */
export function createTaskHandler(parts: TaskHandlerParts): TaskHandler {
  const { db, config, model, ledger, findings, workerId, archive } = parts;
  const { redis, keys } = db;
  const reader = toFindingReader(findings);
  const noteModelUse = createModelUse(db);
  const toToolset = (workspace: boolean): Toolset =>
    createToolset({
      workspace,
      runAllow: config.FLEET_RUN_ALLOW,
      httpAllow: config.FLEET_HTTP_ALLOW,
      archive: archive !== undefined,
    });
  // Made once: the same definitions, byte for byte, keep the provider's cache warm.
  const bare = toToolset(false);
  const full = toToolset(true);

  return async (task, run) => {
    const entry = findModel(task.model ?? config.FLEET_HAIKU_MODEL, new Date());
    const workspace = await resolveWorkspace(task.workspace, config.FLEET_WORKSPACES);
    const identity: TaskIdentity = {
      jobId: run.jobId,
      token: run.token,
      attempt: run.attempt,
      digest: toDigest(task),
      findingId: toFindingId(run.jobId, task.finding_id),
      session: task.session ?? (await parts.currentSession()),
      batch: task.batch ?? null,
      missionId: task.mission_id ?? null,
      budgetNanoUsd: task.budget_usd === undefined ? null : toNanoUsd(task.budget_usd),
      model: entry.id,
      costVendor: entry.costVendor,
    };
    await noteModelUse(entry.id);
    const lockKey = keys.jobLock('tasks', run.jobId);
    return runTask(
      { identity, task, signal: run.signal, isDraining: run.isDraining },
      {
        model,
        entry,
        ledger,
        toolset: workspace === null ? bare : full,
        toolContext: {
          workspace,
          files: task.files ?? [],
          findings: reader,
          ...(archive === undefined ? {} : { askArchive: toAsk(archive, identity, run.isDraining) }),
          runAllow: config.FLEET_RUN_ALLOW,
          httpAllow: config.FLEET_HTTP_ALLOW,
          redisAddress: toAddress(config.REDIS_URL),
          stillMine: async () => {
            if (run.token === '' || (await redis.get(lockKey)) === run.token) return;
            throw lockLost(run.jobId);
          },
        },
        contexts: await loadContexts(db, task.contexts ?? []),
        checkResult: createResultCheck(task.schema),
        workerId,
        now: () => new Date(),
      },
    );
  };
}

/** What a person would edit: the stamps of the queue do not count. */
function toDigest(task: TaskData): string {
  const { session: _session, batch: _batch, mission_id: _mission, line: _line, ...asked } = task;
  return hash('sha256', JSON.stringify(asked)).slice(0, 16);
}

/** The task's own questions: asked in its name, paid by its batch and mission. */
function toAsk(
  archive: ArchiveAsker,
  { jobId, session, batch, missionId }: TaskIdentity,
  isDraining: () => boolean,
): NonNullable<ToolContext['askArchive']> {
  return (question, filter, signal) =>
    archive.ask({ question, filter, jobId, session, batch, missionId, isDraining }, signal);
}

function toAddress(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: port === '' ? 6379 : Number(port) };
}

function toFindingReader(findings: FindingStore): FindingReader {
  return { get: (id) => findings.get(id), search: (query, options) => findings.search(query, options) };
}

/**
 * The folder behind a workspace name, or null when the task names none (there is no default).
 * @param workspaces name → absolute folder, from `FLEET_WORKSPACES`; the folder may itself be a link
 * @returns `root`: the real path, every link in it resolved
 * @throws TaskFailedError `workspace`: the name is not known on this host, or its folder is missing
 */
export async function resolveWorkspace(
  name: string | undefined,
  workspaces: Record<string, string>,
): Promise<ToolContext['workspace']> {
  if (name === undefined) return null;
  const folder = Object.hasOwn(workspaces, name) ? workspaces[name] : undefined;
  if (folder === undefined) {
    const known = Object.keys(workspaces).join(', ') || 'none';
    throw new TaskFailedError(
      'workspace',
      `workspace ${JSON.stringify(name)}: not one of FLEET_WORKSPACES on this host (known: ${known})`,
    );
  }
  try {
    const root = await realpath(folder);
    if ((await stat(root)).isDirectory()) return { name, root };
  } catch (error) {
    throw new TaskFailedError(
      'workspace',
      `workspace ${JSON.stringify(name)}: its folder cannot be used: ${toMessage(error)}`,
      {
        cause: error,
      },
    );
  }
  throw new TaskFailedError('workspace', `workspace ${JSON.stringify(name)}: expected a folder, its path is a file`);
}
