import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tasksQueue, type TaskData } from '../../../queues/tasks.ts';
import { FleetError, LeaseLostError, ShutdownError, toMessage } from '../../errors.ts';
import { parseJob } from '../../jobs/contract.ts';
import { runGuarded, type ProgramResult } from '../../process/guarded-program.ts';
import { parseRecord } from '../../redis/stored-record.ts';
import { stringifyExact } from '../../text/exact-json.ts';
import { endOf } from '../../text/start-of.ts';
import { failTask, releaseTask } from '../lease.ts';
import { checkResult, endWith } from '../report.ts';
import { requireMine } from '../standing.ts';
import type { Claim } from '../types.ts';
import { keepLease, type KeptLease } from './keep-lease.ts';
import { readOutput } from './read-output.ts';
import { openTaskFolder } from './task-folder.ts';
import type { ExecOptions, ExecParts } from './types.ts';

/** Of a failed program's error output, the end is the reason. */
const REASON_LENGTH = 1_000;
const STDOUT_CAP = 8 * 1024 * 1024;

/** The program cannot do the task: it fails with this reason. */
class CannotDo extends FleetError {
  override name = 'CannotDo';
}

/**
 * Runs the program for one claimed task, and ends the task by what becomes of it. It never throws: a lost lease, or a Redis that is
 * away for longer than it, leaves the task to others.
 * @param signal ends the program, and gives the task back
 */
export async function execTask(
  parts: ExecParts,
  claim: Claim,
  options: ExecOptions,
  signal: AbortSignal,
): Promise<void> {
  const { task_id: taskId, lease } = claim;
  const { say } = options;
  const kept = keepLease(parts, { taskId, lease }, options.leaseMs);
  try {
    await doTask(parts, claim, options, { signal: AbortSignal.any([signal, kept.lost]), kept });
  } catch (error) {
    await giveUp(error).catch((again: unknown) => say(`${taskId}: ${toMessage(again)}`));
  } finally {
    kept.stop();
  }

  async function giveUp(error: unknown): Promise<void> {
    const why = toMessage(error);
    if (error instanceof LeaseLostError) return say(`${taskId}: ${why}`);
    if (error instanceof ShutdownError) {
      await releaseTask(parts, { taskId, lease });
      return say(`${taskId}: given back`);
    }
    await kept.patiently(() => failTask(parts, { taskId, lease, why }));
    say(`${taskId}: failed: ${why}`);
  }
}

async function doTask(
  parts: ExecParts,
  { task_id: taskId, lease, task }: Claim,
  options: ExecOptions,
  { signal, kept }: { signal: AbortSignal; kept: KeptLease },
): Promise<void> {
  const { data } = await requireMine(parts.db, taskId, lease);
  const stored = parseJob(tasksQueue, { name: tasksQueue.jobName, data: parseRecord(data) });
  const folder = await openTaskFolder(parts, stored, { taskId, lease }, signal);
  const own = await mkdtemp(join(tmpdir(), 'fleet-task-'));
  try {
    const file = join(own, 'task.json');
    const text = `${stringifyExact(task, 2)}\n`;
    await writeFile(file, text, { mode: 0o600 });
    const ended = await runGuarded('/bin/sh', ['-c', options.command], {
      cwd: folder.root ?? own,
      env: { ...options.env, FLEET_TASK_ID: taskId, FLEET_TASK_FILE: file },
      signal,
      timeoutMs: options.deadlineMs,
      input: text,
      isForeign: true,
      isApart: true,
      stdoutCap: STDOUT_CAP,
    });
    const found = await readFound(ended, stored, options);
    const changed = await folder.finish();
    const worker = options.as;
    const report = { task: stored, taskId, lease, worker, citations: [], ...found, ...changed };
    const { finding_id: findingId } = await kept.patiently(() => endWith(parts, report));
    options.say(`${taskId}: done, ${findingId}`);
    await folder.close();
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** @throws CannotDo naming why the output is no result */
async function readFound(
  { code, endSignal, output, stdout, isTimedOut }: ProgramResult,
  task: TaskData,
  options: ExecOptions,
) {
  if (isTimedOut) throw new CannotDo(`the program was ended after ${options.deadlineMs / 1_000} s, its deadline`);
  if (code !== 0) {
    const end = code === null ? `ended by ${endSignal ?? 'a signal'}` : `exit code ${code}`;
    const said = endOf(output.trim(), REASON_LENGTH);
    throw new CannotDo(said === '' ? `the program said nothing (${end})` : `${said} (${end})`);
  }
  if (stdout === null) throw new CannotDo(`the program printed more than ${STDOUT_CAP} bytes`);
  const answer = readOutput(stdout.toString('utf8'));
  if ('failure' in answer) throw new CannotDo(answer.failure);
  return { result: await checkResult(task, answer.result), unmetered: answer.unmetered };
}
