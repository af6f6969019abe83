import { existsSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_CONFIG } from '../process/exit-config.ts';
import type { App } from './apps.ts';
import type { Pm2, Pm2Process } from './pm2.ts';

/** A process that did not become ready, and why. */
export interface ProcessProblem {
  name: string;
  exitCode: number | null;
  /** Whether pm2 starts it again; it does not after a configuration error. */
  triedAgain: boolean;
  /** The last lines of its error output. */
  lines: string[];
}

const DEADLINE_MS = 75_000;

/** After so many restarts a process counts as failed, although pm2 still restarts it. A configuration error counts at once. */
const RESTARTS_ENOUGH = 3;

/** Stack frames, and what Node prints after a crash: the message above them names the cause. */
const NOISE = /^\s+at |^Node\.js v|^\s*[{}]?\s*$/;

/** Waits until every process of these apps is ready or has failed. @param since start of the attempt, ms since 1970 */
export async function waitUntilReady(
  pm2: Pm2,
  apps: Pick<App, 'name' | 'namespace' | 'instances'>[],
  since: number,
): Promise<ProcessProblem[]> {
  const [first] = apps;
  if (first === undefined) return [];
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const listed = await pm2.list(first.namespace);
    const late = Date.now() > deadline;
    const problems: ProcessProblem[] = [];
    let waiting = false;
    for (const app of apps) {
      const mine = listed.filter((process) => process.name === app.name);
      const failed = mine.filter((process) => process.status !== 'online' && (late || hasFailed(process)));
      problems.push(...failed.map((process) => toProblem(process, since)));
      const ready = mine.filter((process) => process.status === 'online').length;
      if (ready + failed.length < app.instances) waiting = true;
      if (late && mine.length < app.instances)
        problems.push({ name: app.name, exitCode: null, triedAgain: false, lines: ['pm2 did not start it'] });
    }
    if (!waiting || late) return problems;
    await sleep(150);
  }
}

/** Whether a process that is not online will not be so soon. */
export function hasFailed(process: Pm2Process): boolean {
  if (process.status === 'errored') return true;
  if (process.status === 'launching') return process.restarts >= RESTARTS_ENOUGH;
  return process.exitCode === EXIT_CONFIG || process.restarts >= RESTARTS_ENOUGH;
}

function toProblem(process: Pm2Process, since: number): ProcessProblem {
  const { name, exitCode } = process;
  const triedAgain = exitCode !== EXIT_CONFIG && process.status !== 'errored';
  return { name, exitCode, triedAgain, lines: readStderrTail(process.errorLog, since) };
}

/** The last lines of a process' error output, if it wrote any since that time (ms); pm2 never empties the file. */
function readStderrTail(path: string, since: number, lineCount = 6): string[] {
  if (path === '' || !existsSync(path) || statSync(path).mtimeMs < since) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.filter((line) => !NOISE.test(line)).slice(-lineCount);
}
