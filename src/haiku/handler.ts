import { requireFilesInside } from './tools/files/files-inside.ts';
import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Effort } from '../../queues/effort.ts';
import { toOwner } from '../../queues/owner.ts';
import type { TaskData } from '../../queues/tasks.ts';
import type { Config } from '../config/environment.ts';
import { toGitAuthor } from '../config/git-author.ts';
import { redactJson } from '../config/redact.ts';
import { readRedisUrl, type RedisHost } from '../config/redis-servers.ts';
import { hasContexts, loadContexts, readContextBytes } from '../contexts/memory-contexts.ts';
import { TaskFailedError } from '../errors.ts';
import { toFindingId, type Handover } from '../findings/finding.ts';
import type { FindingStore } from '../findings/types.ts';
import { createModelUse } from '../jobs/outcomes/backoff.ts';
import type { JobRun } from '../jobs/worker/run-worker.ts';
import { toNanoUsd } from '../pricing/money.ts';
import type { ArchiveAsker } from '../librarian/queries/archive-asker.ts';
import { lockLost } from '../ledger/refusals.ts';
import type { RunPlace, TaskIdentity, TurnLedger } from '../ledger/types.ts';
import { catalogOf, type CatalogEntry } from '../pricing/catalog.ts';
import type { Model } from '../models/model.ts';
import { withoutSecrets } from '../models/redacted-model.ts';
import { withTranscript } from '../models/transcribed-model.ts';
import type { Pacer } from '../pacing/types.ts';
import type { Db } from '../redis/db.ts';
import { openTranscripts } from '../run-record/transcripts/open-transcripts.ts';
import { toWorktreesFolder } from '../patches/task-tree/places.ts';
import type { TreeSettings } from '../patches/task-tree/types.ts';
import { toAllowedVendors } from '../routing/allowed-vendors.ts';
import { createAvailability } from '../routing/availability.ts';
import { ANY_TEXT, createResultCheck } from '../tasks/schema/result-check.ts';
import type { Asker } from './assist/assist-task.ts';
import { runBuiltIn } from './built-in/run-built-in.ts';
import { toFindingReader } from './finding-reader.ts';
import { buildFirstMessage } from './first-message/first-message.ts';
import { createRepositoryReader } from './first-message/repository.ts';
import { createTopLevelReader } from './first-message/top-level.ts';
import { createSizeMemory, toGroupName } from './loop/size-memory.ts';
import { readFirst } from './loop/turn-calls.ts';
import { runTask } from './loop/task-loop.ts';
import type { CompletedTask } from './loop/types.ts';
import { resolveWorkspace } from './resolve-workspace.ts';
import { chooseForRun } from './route/choose-for-run.ts';
import { runByRoute } from './route/run-by-route.ts';
import type { IsolatedWorkspace, IsolatedWorkspaceParts } from './isolation/isolated-workspace.ts';
import { createToolset } from './toolset.ts';
import { isGuardedName } from './tools/files/secret-names.ts';
import { createTaskHome } from './tools/run/task-home.ts';
import type { AskPeers } from './tools/peer-types.ts';
import type { ToolContext } from './tools/tool.ts';

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
  /** Asks other workers for tasks. Undefined: there is no queue. */
  askPeers?: (asker: Asker) => AskPeers;
  /** The session of a job that has no stamp. */
  currentSession(): Promise<string>;
}

/** One run of a task: of its job under a worker, or without a job in single mode. */
type TaskRunContext = Pick<JobRun, 'token' | 'signal' | 'isDraining'> & {
  /** See `JobRun`. */
  record?: JobRun['record'];
  jobId: string;
  attempt: number;
  /** See `TaskIdentity`. */
  addedAt?: number;
  /** Writes a line into the job's log. */
  note?: (line: string) => Promise<unknown>;
  place?: RunPlace | undefined;
};

export type TaskHandler = (task: TaskData, run: TaskRunContext) => Promise<CompletedTask>;

/** Returns the function that runs a parsed task: it finds the model, workspace and contexts, then runs the loop. */
export function createTaskHandler(parts: TaskHandlerParts): TaskHandler {
  const { db, config, ledger, pacer, findings, workerId, archive } = parts;
  const { redis, keys, redact } = db;
  const model = withoutSecrets(parts.model, redact);
  const transcripts = openTranscripts(config, redact);
  const noteModelUse = createModelUse(db);
  const repliesOf = createSizeMemory(db);
  // Built once: the provider's cache needs the same definitions, byte for byte.
  const allowed = {
    runAllow: config.FLEET_RUN_ALLOW,
    httpAllow: config.FLEET_HTTP_ALLOW,
    archive: archive !== undefined,
    otherSwarms: config.FLEET_READ_SWARMS.length > 0,
    peers: parts.askPeers !== undefined,
  };
  const listTopLevel = createTopLevelReader();
  const describeRepository = createRepositoryReader();
  const trees = toTreeSettings(config);
  const redisHosts = [config.REDIS_URL, ...Object.values(config.peers)].flatMap((url) => readRedisUrl(url).hosts);
  const swarm = config.FLEET_SWARM ?? 'fleet';
  const homes = join(config.dataFolder, swarm, 'homes');
  const toolsWithFiles = createToolset({ ...allowed, workspace: true });
  const toolsWithoutFiles = createToolset({ ...allowed, workspace: false });
  const looksWithFiles = createToolset({ ...allowed, workspace: true, readOnly: true });
  const looksWithoutFiles = createToolset({ ...allowed, workspace: false, readOnly: true });

  const catalog = catalogOf(config);
  const availability = createAvailability(db, (id) => model.limitKeyOf?.(id));

  return async (given, run) => {
    const task = redactJson(given, redact);
    const vendors = toAllowedVendors(task, config.workspaceVendors);
    const contextBytes = hasContexts(task) ? await readContextBytes(db, task) : 0;
    const at = db.clock.date();
    const { models, route, unknown } = chooseForRun(task, { contextBytes, vendors }, { config, catalog, at });
    for (const line of unknown) await run.note?.(`${at.toISOString()} passed over: ${line}`);
    return await runByRoute(models, { db, availability, note: run.note, record: run.record }, (entry, handovers) =>
      runOn(entry, { given, task, run, vendors, route, handovers }).catch((error: unknown) => {
        if (error instanceof TaskFailedError) error.model = entry.id;
        throw error;
      }),
    );
  };

  /** Runs a task on one model. */
  async function runOn(
    entry: CatalogEntry,
    { given, task, run, vendors, route, handovers }: ModelRun,
  ): Promise<CompletedTask> {
    const effort = toEffort(task, entry, config);
    const workspace =
      task.workspace === undefined ? null : await resolveWorkspace(task.workspace, config.FLEET_WORKSPACES);
    if (task.files !== undefined) await requireFilesInside(task.files, workspace?.root ?? null);
    const identity: TaskIdentity = {
      jobId: run.jobId,
      token: run.token,
      attempt: run.attempt,
      addedAt: run.addedAt,
      digest: toDigest(given),
      findingId: toFindingId(run.jobId, task.finding_id),
      session: task.session ?? (await parts.currentSession()),
      batch: task.batch ?? task.assist?.batch ?? null,
      missionId: task.mission_id ?? null,
      ...toOwner(task),
      ...(task.origin === undefined ? {} : { origin: task.origin }),
      ...(task.bridge === undefined || task.bridge.form === 'v2' ? {} : { oldId: task.bridge.task }),
      budgetNanoUsd: task.budget_usd === undefined ? null : toNanoUsd(task.budget_usd),
      ...(task.assist === undefined ? {} : { assist: { asker: task.assist.asker, call: task.assist.call } }),
      model: entry.id,
      costVendor: entry.costVendor,
      ...(route === null ? {} : { route }),
      record: run.record,
    };
    const checkResult = task.schema === undefined ? ANY_TEXT : await createResultCheck(task.schema);
    const now = (): Date => db.clock.date();
    if (task.built_in !== undefined) {
      const built = { ledger, workspace, checkResult, workerId, now, vendors };
      return await runBuiltIn({ identity, task, signal: run.signal }, built);
    }
    await noteModelUse(entry.id);
    const isolation =
      workspace === null
        ? null
        : await isolate({
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
    const began = hasContexts(task) ? await readFirst({ identity, ...run }, { ledger, entry }) : null;
    const contexts = hasContexts(task) ? await loadContexts(db, task, began?.contexts ?? null) : [];
    const [withFiles, withoutFiles] =
      task.assist === undefined ? [toolsWithFiles, toolsWithoutFiles] : [looksWithFiles, looksWithoutFiles];
    const toolset = workspace === null ? withoutFiles : withFiles;
    const askPeers = task.assist === undefined ? parts.askPeers?.({ task, identity, vendors }) : undefined;
    const home = createTaskHome(homes, run.jobId);
    const lockKey = keys.jobLock('tasks', run.jobId);
    const pace = pacer?.enter({ isCounted: true, note: run.note });
    try {
      return await runTask(
        { identity, task, signal: run.signal, isDraining: run.isDraining, place: run.place },
        {
          model: withTranscript(pace?.watch(model) ?? model, { transcripts, db, note: run.note }),
          entry,
          handovers,
          vendors,
          ...(effort === undefined ? {} : { effort }),
          replies: await repliesOf(toGroupName(entry.id, effort, workspace)),
          ledger,
          pace,
          toolset,
          isolation,
          toolContext: {
            workspace: isolation,
            files: task.files ?? [],
            findings: toFindingReader(findings, task.shard ?? null, vendors),
            ...(archive === undefined
              ? {}
              : { askArchive: toAsk(archive, { identity, vendors, isDraining: run.isDraining }) }),
            otherSwarms: config.FLEET_READ_SWARMS,
            ...(askPeers === undefined ? {} : { askPeers }),
            runAllow: config.FLEET_RUN_ALLOW,
            run: { timeoutMs: config.FLEET_RUN_TIMEOUT_MS, env: config.runEnvironment, home },
            httpAllow: config.FLEET_HTTP_ALLOW,
            redisHosts: () => withMaster(redisHosts, redis),
            redact,
            commitAs: { ...trees.author, trailers: [`Fleet-Task: ${run.jobId}`, `Fleet-Model: ${entry.id}`] },
            stillMine: async () => {
              if (run.token === '' || (await redis.get(lockKey)) === run.token) return;
              throw lockLost(run.jobId);
            },
          },
          contexts,
          async introduce(context, maxTurns) {
            const beginning = isolation === null ? { said: null } : await isolation.propose(context.signal);
            const around = { maxTurns, startedAt: now(), listTopLevel, describeRepository, beginning };
            const first = await buildFirstMessage(task, context, around);
            return contexts.length === 0
              ? first
              : { ...first, contexts: contexts.map(({ name, sha256 }) => ({ name, sha256 })) };
          },
          checkResult,
          note: run.note,
          workerId,
          now,
        },
      );
    } finally {
      pace?.leave();
      await home.remove();
    }
  }
}

/** One run of one task, on one of the models that may do it. */
interface ModelRun {
  /** As the queue holds it. */
  given: TaskData;
  /** Without secrets. */
  task: TaskData;
  run: TaskRunContext;
  /** The vendors that may see it; null: all. */
  vendors: readonly string[] | null;
  /** The route that chose its models; null: none did. */
  route: string | null;
  handovers: Handover[];
}

/** Tasks without a workspace load nothing of working trees. */
async function isolate(parts: IsolatedWorkspaceParts): Promise<IsolatedWorkspace> {
  const { IsolatedWorkspace } = await import('./isolation/isolated-workspace.ts');
  return new IsolatedWorkspace(parts);
}

/** The fleet's own default is for its own model: another one may know no effort. */
function toEffort({ effort }: TaskData, { id }: CatalogEntry, config: Config): Effort | undefined {
  return effort ?? (id === config.FLEET_HAIKU_MODEL ? config.FLEET_HAIKU_EFFORT : undefined);
}

/** Hash of the fields that a person may edit; the stamps of the queue are left out. */
function toDigest(task: TaskData): string {
  const { session: _session, client: _client, batch: _batch, mission_id: _mission, ...rest } = task;
  const { builds_on: _buildsOn, line: _line, origin: _origin, bridge: _bridge, assist: _assist, ...asked } = rest;
  return hash('sha256', JSON.stringify(asked)).slice(0, 16);
}

/** Returns the function that asks the archive for the task. Its client, batch and mission pay for the questions. */
function toAsk(
  archive: ArchiveAsker,
  {
    identity: { jobId, session, batch, missionId, ...more },
    vendors,
    isDraining,
  }: { identity: TaskIdentity; vendors: readonly string[] | null; isDraining: () => boolean },
): NonNullable<ToolContext['askArchive']> {
  return (question, filter, signal) =>
    archive.ask({ question, filter, jobId, session, batch, missionId, vendors, ...toOwner(more), isDraining }, signal);
}

function toTreeSettings(config: Config): TreeSettings {
  return {
    worktrees: toWorktreesFolder(config.dataFolder, config.FLEET_SWARM ?? null),
    links: config.FLEET_WORKTREE_LINKS,
    author: toGitAuthor(config.FLEET_GIT_AUTHOR),
    isGuarded: isGuardedName,
  };
}

/** The servers of the address, and the one that is the master now. */
function withMaster(hosts: readonly RedisHost[], { stream }: Db['redis']): readonly RedisHost[] {
  const { remoteAddress: host, remotePort: port } = stream;
  return host === undefined || port === undefined ? hosts : [...hosts, { host, port }];
}
