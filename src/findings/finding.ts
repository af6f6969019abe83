import { hash } from 'node:crypto';
import type { z } from 'zod';
import type { Origin } from '../../queues/origin.ts';
import type { Usage } from '../../queues/usage.ts';

/**
 * The JSON stored under `finding:<id>`. The fleet always writes the first nine fields, which older programs read; it
 * requires none of them when it reads (see `parseFinding`).
 */
export interface Finding {
  /** Key suffix of `finding:<id>`. */
  finding_id: string;
  /** Id of the process that stored it: `<kind>_<host>_<NNN>`, or `FLEET_WORKER_ID`; or the name of an outside worker. */
  worker_id: string;
  /** When it was stored: local time of the worker's host, ISO 8601 without zone, microseconds. */
  timestamp: string;
  /** The task's description, the query's question or the mission's goal. */
  task: string;
  /** The result: text, or any JSON. */
  result: z.output<z.ZodJSONSchema>;
  /** Paths of the changed files, relative to the workspace; the same as in `changes`. Empty: none. */
  files_changed: string[];
  /** Ids of the findings that the result relies on. Empty: none. */
  citations: string[];
  /** Tokens of all its calls: prompts, with what the provider's cache held, and replies. */
  tokens_used: number;
  /** Cost of all its calls, US dollars, six decimals. Of a mission: only its own calls, not those of its tasks. */
  cost: number;
  /** When it was stored: UTC instant, ISO 8601, ms. The fleet sorts by it. */
  at: string;
  /** At most 200 characters, on one line. */
  summary: string;
  /** Name of the session in which the task, query or mission was enqueued. */
  session: string;
  /** Name of the batch; null: no batch. */
  batch: string | null;
  /** Id of the mission; null: no mission. */
  mission_id: string | null;
  /** Id of the job that wrote it. */
  job_id: string;
  /** Id of the model that wrote the result; `none`: a task that needs no model; `outside`: an outside worker, which names none. */
  model: string;
  /** Vendor of the model: `anthropic`, `google` or `deepseek`; `none` without a model; `outside:<name>` of an outside worker. */
  vendor: string;
  /** Version of the fleet's prompt, `task-2`. */
  prompt_version: string;
  /** Of a task its kind (default `other`); else `archive`, `assist`, `mission`, `paper`, `summary`, `survey` or `shard-test`. */
  kind: string;
  /** The files that the task changed. Empty: none. */
  changes: FindingChange[];
  /** Topics of the task or mission. Empty: none. */
  topics: string[];
  /** `completed`; `partial`: the worker's turns ended, and the result is what it had by then; `retracted` or `condensed`. */
  status: string;
  /** Tokens of all its calls, by price class. */
  usage: Usage;
  /** Count of calls whose stored reply was replayed, not paid again. */
  recovered: number;
  /** A free local model did it: its `cost` is no price. Absent: it has one, or none is known. */
  free_local?: true;
  /** Its failed tool calls. Absent: none failed, or a version stored it that did not count them. */
  tool_errors?: ToolErrors;
  /** The models that another one took over from, the first first. Absent: one model did the whole task. */
  routed?: Handover[];
  /** Vendors that may be sent it, because its task's workspace forbids all others. Absent: all may. */
  vendors?: string[];
  /** What the task changed in a working tree of its own. Absent: it had none. */
  patch?: FindingPatch;
  /** What an outside worker states of its use, beside `tokens_used` and `cost`, which are 0 then. Absent: the fleet worked. */
  unmetered?: UnmeteredFinding;
  /** Those of its citations that are of another swarm whose work is simulated. Absent: none. */
  simulated_citations?: string[];
  /** Name of the client that paid. Absent: no client. */
  client?: string;
  /** Name of the memory shard that it belongs to. Absent: none. */
  shard?: string;
  /** The rules and findings that started its task, the oldest first. Absent: no rule did. */
  origin?: Origin;
}

/** Nobody measured it. Null: the outside worker does not say. */
interface UnmeteredFinding {
  /** Tokens. */
  input: number | null;
  output: number | null;
  /** US dollars. */
  cost: number | null;
}

/** What failed while a task worked, also if the task went on and found a way. */
export interface ToolErrors {
  /** Count of tool calls that failed: refused by the tool, or ended with an error. At least 1. */
  failed: number;
  /** The last error of each tool with one, the newest last, at most 20 tools. `error`: one line, at most 300 characters. */
  last: { tool: string; error: string }[];
}

/** Another model took over. */
export interface Handover {
  /** Ids of models. */
  from: string;
  to: string;
  /** One line, at most 300 characters. */
  why: string;
}

/** State of a patch. `conflict`: it did not fit when a person last tried to apply it; nothing was changed. */
type PatchState = 'empty' | 'pending' | 'applied' | 'discarded' | 'conflict';

/** What an isolated task changed: the difference of two commits. */
export interface FindingPatch {
  /** Commit that the task began from. */
  base: string;
  /** Commit of all its changes, on the branch `fleet/<task id>`; the same as `base` if it changed nothing. */
  head: string;
  /** Count of files; `files_changed` names them. */
  files: number;
  /** Count of lines. */
  added: number;
  /** Count of lines. */
  removed: number;
  /** When the finding was read. Only `fleet apply`, `fleet discard` and `fleet undo` change it. */
  state: PatchState;
}

/** One file that a task changed. */
interface FindingChange {
  /** Relative to the workspace. */
  path: string;
  /** Count of lines. */
  added: number;
  /** Count of lines. */
  removed: number;
  /** First and last changed line in the new file (`996-1140`), or `deleted`. */
  lines: string;
}

/** Status of a finding whose result is only what its worker had when its turns ended. */
export const PARTIAL = 'partial';
/** Kind of the finding that reports which shards worked before a paper. It is no evidence: no answer may cite it. */
export const SHARD_TEST_KIND = 'shard-test';

/** Kind of the finding that lists the files of a workspace. */
export const SURVEY_KIND = 'survey';

/** What a finding and a ledger row name as the model of a task that needs none. */
export const NO_MODEL = { id: 'none', vendor: 'none' } as const;

/**
 * Returns the id of a job's finding. It depends on the job's id alone, so that a job that runs twice writes one finding.
 * @param wanted the id that the caller chose, if any
 */
export function toFindingId(jobId: string, wanted?: string): string {
  return wanted ?? `finding_${hash('sha256', jobId).slice(0, 16)}`;
}
