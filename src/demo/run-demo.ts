import { openFleet, type OpenFleet } from '../open-fleet.ts';
import type { TaskInput } from '../../queues/tasks.ts';
import { toMessage } from '../errors.ts';
import { toSummary } from '../findings/stored-finding.ts';
import { formatUsd, toNanoUsd } from '../ledger/money.ts';
import { renderCosts } from '../ledger/render-report.ts';
import { readLedger, toCostReport } from '../ledger/report.ts';
import { findPrices } from '../models/catalog.ts';
import { renderStatus } from '../status/render.ts';
import type { DemoTasks } from './choose-tasks.ts';
import type { DemoFleet } from './demo-fleet.ts';

const TASK_TIMEOUT_MS = 60_000;
const SUMMARY_WIDTH = 110;

/** Puts the tasks through the fleet and prints what comes of them. @returns how many tasks failed */
export async function runDemo(demo: DemoFleet, tasks: DemoTasks, say: (line: string) => void): Promise<number> {
  const fleet = await openFleet(demo.config);
  try {
    const results = await Promise.all(tasks.first.map((task) => runTask(fleet, task, say)));
    results.push(await runTask(fleet, tasks.last, say)); // it reads what the others found
    say('');
    say(renderStatus(await fleet.status(), { colour: false }));
    say('');
    const sonnet = findPrices(demo.config.FLEET_SONNET_MODEL, new Date());
    const entries = await readLedger(fleet.inner.redis, fleet.inner.keys);
    say(renderCosts(toCostReport(entries, { by: 'worker', sonnet })));
    return results.filter((done) => !done).length;
  } finally {
    await fleet.close();
  }
}

async function runTask(fleet: OpenFleet, task: TaskInput, say: (line: string) => void): Promise<boolean> {
  const startedAt = Date.now();
  try {
    const handle = await fleet.tasks.add(task);
    const finding = await handle.finding({ timeoutMs: TASK_TIMEOUT_MS });
    const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
    const cost = formatUsd(toNanoUsd(finding.cost ?? 0), 6);
    say(`✅ ${task.description}`);
    say(`   ${shorten(toSummary(finding))}`);
    say(`   ${finding.finding_id} · ${finding.worker_id ?? '?'} · ${seconds} s · ${cost}`);
    return true;
  } catch (error) {
    say(`❌ ${task.description}`);
    say(`   ${toMessage(error)}`);
    return false;
  }
}

/** Fits a line of a terminal. */
function shorten(text: string): string {
  return text.length <= SUMMARY_WIDTH ? text : `${text.slice(0, SUMMARY_WIDTH - 1).trimEnd()}…`;
}
