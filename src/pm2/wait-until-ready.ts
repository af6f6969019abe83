import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_CONFIG } from '../process/exit-config.ts';
import type { App } from './apps.ts';
import { readLastWords } from './stderr-tail.ts';
import type { Pm2, Pm2Process } from './pm2.ts';

/** A process that is not there, and why. */
export interface ProcessProblem {
  name: string;
  exitCode: number | null;
  /** pm2 goes on trying; false after a configuration error. */
  triedAgain: boolean;
  /** Its last error output. */
  lines: string[];
}

const DEADLINE_MS = 75_000;

/** So many ends in a row, other than for a configuration error, are called a failure while pm2 goes on trying. */
const RESTARTS_ENOUGH = 3;

/** Waits until every process of these apps is ready or has failed. @param since start of the attempt, ms */
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

function hasFailed(process: Pm2Process): boolean {
  if (process.status === 'errored') return true;
  if (process.status === 'launching') return process.restarts >= RESTARTS_ENOUGH;
  return process.exitCode === EXIT_CONFIG || process.restarts >= RESTARTS_ENOUGH;
}

function toProblem(process: Pm2Process, since: number): ProcessProblem {
  const { name, exitCode } = process;
  const triedAgain = exitCode !== EXIT_CONFIG && process.status !== 'errored';
  return { name, exitCode, triedAgain, lines: readLastWords(process.errorLog, since) };
}
