import { hash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Effort } from '../../queues/effort.ts';
import type { TaskData } from '../../queues/tasks.ts';
import type { Config } from '../config/environment.ts';
import { toGitAuthor } from '../config/git-author.ts';
import { redactJson } from '../config/redact.ts';
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
import { withoutSecrets } from '../models/redacted-model.ts';
import type { Pacer } from '../pacing/types.ts';
import type { Db } from '../redis/db.ts';
import { toWorktreesFolder } from '../patches/task-tree/places.ts';
import type { TreeSettings } from '../patches/task-tree/types.ts';
import { createResultCheck } from '../tasks/schema/result-check.ts';
import { runBuiltIn } from './built-in/run-built-in.ts';
import { buildFirstMessage } from './first-message/first-message.ts';
import { createRepositoryReader } from './first-message/repository.ts';
import { createTopLevelReader } from './first-message/top-level.ts';
import { IsolatedWorkspace } from './isolation/isolated-workspace.ts';
import { runTask } from './loop/task-loop.ts';
import type { CompletedTask } from './loop/types.ts';
import { createToolset } from './toolset.ts';
import { isGuardedName } from './tools/files/secret-names.ts';
import { createTaskHome } from './tools/run/task-home.ts';
import type { FindingReader, ToolContext } from './tools/tool.ts';

export interface TaskHandlerParts {
  config: Config;
  db: Db;
  model: Model;
  ledger: TurnLedger;
  /** Keeps the provider's limits. Null: nothing limits the model. */
  pacer: Pacer | null;
  findings: FindingStore;
  workerId: string;
  /** Asks the archive for tasks. Undefined: no librarian is configured. */
  archive?: ArchiveAsker;
  /** The session of a job that has no stamp. */
  currentSession(): Promise<string>;
}

/** One run of a task: of its job under a worker, or without a job in single mode. */
type TaskRunContext = Pick<JobRun, 'token' | 'signal' | 'isDraining'> & {
  jobId: string;
  attempt: number;
  /** Writes a line into the job's log. */
  note?: (line: string) => Promise<unknown>;
};

export type TaskHandler = (task: TaskData, run: TaskRunContext) => Promise<CompletedTask>;

/** Returns the function that runs a parsed task: it finds the model, workspace and contexts, then runs the loop. */
export function createTaskHandler(parts: TaskHandlerParts): TaskHandler {
  const { db, config, ledger, pacer, findings, workerId, archive } = parts;
  const { redis, keys, redact } = db;
  const model = withoutSecrets(parts.model, redact);
  const reader = toFindingReader(findings);
  const noteModelUse = createModelUse(db);
  // Built once: the provider's cache needs the same definitions, byte for byte.
  const allowed = {
    runAllow: config.FLEET_RUN_ALLOW,
    httpAllow: config.FLEET_HTTP_ALLOW,
    archive: archive !== undefined,
  };
  const listTopLevel = createTopLevelReader();
  const describeRepository = createRepositoryReader();
  const trees = toTreeSettings(config);
  const swarm = config.FLEET_SWARM ?? 'fleet';
  const toolsWithFiles = createToolset({ ...allowed, workspace: true });
  const toolsWithoutFiles = createToolset({ ...allowed, workspace: false });

  return async (given, run) => {
    const task = redactJson(given, redact);
    const entry = findModel(task.model ?? config.FLEET_HAIKU_MODEL, new Date());
    const effort = toEffort(task, config);
    const workspace = await resolveWorkspace(task.workspace, config.FLEET_WORKSPACES);
    const identity: TaskIdentity = {
      jobId: run.jobId,
      token: run.token,
      attempt: run.attempt,
      digest: toDigest(given),
      findingId: toFindingId(run.jobId, task.finding_id),
      session: task.session ?? (await parts.currentSession()),
      batch: task.batch ?? null,
      missionId: task.mission_id ?? null,
      budgetNanoUsd: task.budget_usd === undefined ? null : toNanoUsd(task.budget_usd),
      model: entry.id,
      costVendor: entry.costVendor,
    };
    const checkResult = await createResultCheck(task.schema);
    const now = (): Date => new Date();
    if (task.built_in !== undefined) {
      return runBuiltIn({ identity, task, signal: run.signal }, { ledger, workspace, checkResult, workerId, now });
    }
    await noteModelUse(entry.id);
    const isolation =
      workspace === null
        ? null
        : new IsolatedWorkspace({
            shared: workspace,
            task,
            identity,
            db,
            settings: trees,
            swarm,
            host: hostname(),
            now,
            ...(run.note === undefined ? {} : { note: run.note }),
          });
    const home = createTaskHome(join(config.dataFolder, swarm, 'homes'), run.jobId);
    const lockKey = keys.jobLock('tasks', run.jobId);
    const pace = pacer?.enter({ isCounted: true, note: run.note });
    return runTask(
      { identity, task, signal: run.signal, isDraining: run.isDraining },
      {
        model: pace?.watch(model) ?? model,
        entry,
        ...(effort === undefined ? {} : { effort }),
        ledger,
        pace,
        toolset: workspace === null ? toolsWithoutFiles : toolsWithFiles,
        isolation,
        toolContext: {
          workspace: isolation,
          files: task.files ?? [],
          findings: reader,
          ...(archive === undefined ? {} : { askArchive: toAsk(archive, identity, run.isDraining) }),
          runAllow: config.FLEET_RUN_ALLOW,
          run: { timeoutMs: config.FLEET_RUN_TIMEOUT_MS, env: config.runEnvironment, home },
          httpAllow: config.FLEET_HTTP_ALLOW,
          redisAddress: toAddress(config.REDIS_URL),
          redact,
          commitAs: { ...trees.author, trailers: [`Fleet-Task: ${run.jobId}`, `Fleet-Model: ${entry.id}`] },
          stillMine: async () => {
            if (run.token === '' || (await redis.get(lockKey)) === run.token) return;
            throw lockLost(run.jobId);
          },
        },
        contexts: await loadContexts(db, task.contexts ?? []),
        async introduce(context, maxTurns) {
          const beginning = (await isolation?.propose(context.signal)) ?? { said: null };
          const around = { maxTurns, startedAt: now(), listTopLevel, describeRepository, beginning };
          return redactJson(await buildFirstMessage(task, context, around), redact);
        },
        checkResult,
        note: run.note,
        workerId,
        now,
      },
    ).finally(async () => {
      pace?.leave();
      await home.remove();
    });
  };
}

/** The fleet's own default is for its own model: another one may know no effort. */
function toEffort({ effort, model }: TaskData, config: Config): Effort | undefined {
  const { FLEET_HAIKU_EFFORT, FLEET_HAIKU_MODEL } = config;
  return effort ?? (model === undefined || model === FLEET_HAIKU_MODEL ? FLEET_HAIKU_EFFORT : undefined);
}

/** Hash of the fields that a person may edit; the stamps of the queue are left out. */
function toDigest(task: TaskData): string {
  const { session: _session, batch: _batch, mission_id: _mission, builds_on: _buildsOn, line: _line, ...asked } = task;
  return hash('sha256', JSON.stringify(asked)).slice(0, 16);
}

/** Returns the function that asks the archive for the task. Its batch and mission pay for the questions. */
function toAsk(
  archive: ArchiveAsker,
  { jobId, session, batch, missionId }: TaskIdentity,
  isDraining: () => boolean,
): NonNullable<ToolContext['askArchive']> {
  return (question, filter, signal) =>
    archive.ask({ question, filter, jobId, session, batch, missionId, isDraining }, signal);
}

function toTreeSettings(config: Config): TreeSettings {
  return {
    worktrees: toWorktreesFolder(config.dataFolder, config.FLEET_SWARM ?? null),
    links: config.FLEET_WORKTREE_LINKS,
    author: toGitAuthor(config.FLEET_GIT_AUTHOR),
    isGuarded: isGuardedName,
  };
}

function toAddress(url: string): { host: string; port: number } {
  const { hostname: host, port } = new URL(url);
  return { host, port: port === '' ? 6379 : Number(port) };
}

function toFindingReader(findings: FindingStore): FindingReader {
  return { get: (id) => findings.get(id), find: (query, options) => findings.find(query, options) };
}

/**
 * Returns the folder of a workspace; null if the task names no workspace (there is no default).
 * @param workspaces name → absolute folder, from `FLEET_WORKSPACES`; the folder may be a link
 * @returns `root`: the real path, with all links resolved
 * @throws TaskFailedError `workspace`: the name is not known on this host, or its folder cannot be used
 */
export async function resolveWorkspace(
  name: string | undefined,
  workspaces: Record<string, string>,
): Promise<{ name: string; root: string } | null> {
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
