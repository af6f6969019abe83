import { hash } from 'node:crypto';
import { posix } from 'node:path';
import type { BridgeStamp, OldTaskForm } from '../../queues/bridge.ts';
import { shardNameSchema } from '../../queues/owner.ts';
import { TASK_LIMITS } from '../../queues/tasks.ts';
import { toMessage, UsageError } from '../errors.ts';
import { checkTask, type CheckedTask } from '../tasks/check.ts';
import { parseExact, stringifyExact } from '../text/exact-json.ts';
import { DEEPEST_RULE, isTooDeep } from '../text/json-depth.ts';
import { startOf } from '../text/start-of.ts';
import { createCatalog } from '../pricing/catalog.ts';
import type { KnownNames } from '../tasks/known-names.ts';

/** What another program stored under `task:<id>`. `other`: a key of a type that holds no task. */
export type StoredTask =
  | { form: 'string'; text: string }
  | { form: 'hash' | 'v2'; fields: Record<string, string> }
  | { form: 'other'; holds: string };

/** A task of another program, as it is added to the queue. */
export interface OldTask {
  /** Depends on its id and on what is to be done: the same text of the same id is the same task. */
  jobId: string;
  /** What the job holds. A task that no worker can do has a description for people, and a problem in its stamp. */
  task: CheckedTask;
  stamp: BridgeStamp;
  /** The memory shard that waits for the answer, as it names itself: key part of `shard:<id>:findings`. Absent: none. */
  parent?: string;
}

/** Where tasks of other programs work. */
export interface OldTaskPlace {
  /** Name of the workspace; null: none. */
  workspace: string | null;
  /** Its folder on this host: a path in it may be given in full. Null: not known here. */
  root: string | null;
  /** The vendors that may see what is in the workspace. Null: all. */
  vendors: readonly string[] | null;
}

/** Where the files of one are. */
type InPlace = Pick<OldTaskPlace, 'workspace' | 'root'>;

/** What the other programs note about a task's progress: it is no part of what is to be done. */
const PROGRESS: ReadonlySet<string> = new Set([
  'status',
  'state',
  'result',
  'error',
  'claimed_by',
  'claimed_at',
  'worker_id',
  'assigned_to',
  'started_at',
  'updated_at',
  'completed_at',
  'finding_id',
]);
/** Part of a readable job id that is the other program's id. */
const READABLE = 60;
const LONGEST_TOPIC = 100;

/** Such a task names no workspace that is not configured, no context and no model. */
const KNOWN: KnownNames = { workspaces: null, contexts: new Set(), catalog: createCatalog([]) };

/** Reads a task of another program. It never throws for what another program stored. */
export async function toOldTask(id: string, stored: StoredTask, { workspace, root }: InPlace): Promise<OldTask> {
  const form: OldTaskForm = stored.form === 'other' ? 'string' : stored.form;
  const read = readFields(stored);
  const asked = 'fields' in read ? withoutProgress(read.fields) : null;
  const jobId = toOldJobId(id, asked === null ? toRawText(stored) : stringifyExact(asked));
  const type = asked === null ? undefined : toType(asked['type']);
  const parentShard = form === 'v2' ? asked?.['parent_shard'] : undefined;
  const parent = typeof parentShard === 'string' && parentShard !== '' ? { parent: parentShard } : {};
  const shard = parent.parent === undefined ? undefined : toShard(parent.parent);
  const stamp: BridgeStamp = {
    task: id,
    form,
    ...(type === undefined ? {} : { type }),
    ...(shard === undefined ? {} : { shard }),
  };
  try {
    if ('problem' in read) throw new UsageError(read.problem);
    const input = { ...toInput(read.fields, { workspace, root }), ...(type === undefined ? {} : { topics: [type] }) };
    return { jobId, task: await checkTask(input, KNOWN), stamp, ...parent };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const problem = `task:${startOf(id, 200)}: ${toMessage(error).replace(/^task: /, '')}`;
    const description = asked?.['description'];
    const shown = typeof description === 'string' && /\S/.test(description) ? description : `task:${id}`;
    return {
      jobId,
      task: { description: startOf(shown, 1_000) },
      stamp: { ...stamp, problem: startOf(problem, 1_000) },
      ...parent,
    };
  }
}

/** A job's id: the other program's id as far as a job's may hold it, and a hash of id and text. */
function toOldJobId(id: string, text: string): string {
  return `old-${toReadable(id)}-${hash('sha256', JSON.stringify([id, text])).slice(0, 16)}`;
}

function toReadable(id: string): string {
  return startOf(id, READABLE).replace(/[^A-Za-z0-9._-]+/g, '-');
}

function toRawText(stored: StoredTask): string {
  if (stored.form === 'string') return stored.text;
  return stored.form === 'other' ? stored.holds : stringifyExact(inOneOrder(stored.fields));
}

type Read = { fields: Record<string, unknown> } | { problem: string };

function readFields(stored: StoredTask): Read {
  if (stored.form === 'other') return { problem: `expected JSON {description, files} or a hash, got ${stored.holds}` };
  if (stored.form !== 'string') {
    const { data, files, ...fields } = stored.fields;
    return {
      fields: {
        ...fields,
        ...(data === undefined ? {} : { data: toValue(data) }),
        ...(files === undefined ? {} : { files: toValue(files) }),
      },
    };
  }
  const shown = JSON.stringify(startOf(stored.text, 100));
  if (isTooDeep(stored.text)) return { problem: DEEPEST_RULE };
  try {
    const value = parseExact(stored.text);
    if (isObject(value)) return { fields: value };
  } catch {
    // the same message
  }
  return { problem: `expected JSON {description, files}, got ${shown}` };
}

/** A field of a hash is text, and may be JSON. */
function toValue(text: string): unknown {
  if (!/^\s*[[{]/.test(text) || isTooDeep(text)) return text;
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutProgress(fields: Record<string, unknown>): Record<string, unknown> {
  return inOneOrder(Object.fromEntries(Object.entries(fields).filter(([name]) => !PROGRESS.has(name))));
}

/** A hash has no order, and JSON that was written anew may have another one: both are the same text. */
function inOneOrder(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the fields state beside description and files is the task's data: the worker sees it, and nothing obeys it. */
function toInput(fields: Record<string, unknown>, place: InPlace): Record<string, unknown> {
  const { description, files, data, id: _id, task_id: _taskId, ...rest } = withoutProgress(fields);
  const more = Object.keys(rest).length === 0 ? data : { ...rest, ...(data === undefined ? {} : { data }) };
  const listed = typeof files === 'string' ? [files] : files;
  const paths: unknown = Array.isArray(listed) ? listed.map((path: unknown) => toPath(path, place)) : listed;
  return {
    description,
    ...(paths === undefined || paths === null ? {} : { files: paths }),
    ...(more === undefined || more === null ? {} : { data: more }),
    ...(place.workspace === null ? {} : { workspace: place.workspace }),
  };
}

/** Old programs name files in full. @throws UsageError for one outside of the workspace */
function toPath(path: unknown, { workspace, root }: InPlace): unknown {
  if (typeof path !== 'string' || !posix.isAbsolute(path)) return path;
  const inside = root === null ? null : posix.relative(root, posix.normalize(path));
  if (inside !== null && inside !== '' && inside !== '..' && !inside.startsWith('../')) return inside;
  const where = workspace === null ? 'FLEET_BRIDGE_WORKSPACE, which is not set' : `workspace ${workspace}`;
  throw new UsageError(`files: ${JSON.stringify(startOf(path, TASK_LIMITS.file))} lies outside of ${where}`);
}

/** The memory shard of the fleet that a task and its finding belong to. An old one may be named by any characters. */
function toShard(parent: string): string {
  const { success } = shardNameSchema.safeParse(parent);
  return success ? parent : `${toReadable(parent)}-${hash('sha256', parent).slice(0, 16)}`;
}

function toType(type: unknown): string | undefined {
  return typeof type === 'string' && /\S/.test(type) && type.length <= LONGEST_TOPIC ? type : undefined;
}
