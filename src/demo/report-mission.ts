import { setTimeout as sleep } from 'node:timers/promises';
import { readMission } from '../coordinator/mission/record.ts';
import type { MissionRecord } from '../coordinator/mission/types.ts';
import { HaltError, toMessage } from '../errors.ts';
import { describeHalt } from '../halt/halt.ts';
import { readBlocker } from '../jobs/state/blocked.ts';
import { readJob } from '../jobs/state/states.ts';
import type { StoredFinding } from '../findings/types.ts';
import type { OpenFleet } from '../api/open-fleet.ts';
import { DEMO_WORKSPACE } from './demo-fleet.ts';
import { describeFinding, describeStart, wrap } from './describe-mission.ts';

/** The goal of the demo, for any folder. */
const GOAL = 'What is in here, what does it do, and what is left to do?';
const MISSION_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

/** Gives the fleet one mission over the folder, and prints its results as they arrive. @returns whether the mission was done */
export async function reportMission(fleet: OpenFleet, print: (line: string) => void): Promise<boolean> {
  const following = new AbortController();
  const findings = fleet.findings.follow({ signal: following.signal }); // begins before the mission, so that no finding is missed
  const mission = await fleet.missions.add({ goal: GOAL, workspace: DEMO_WORKSPACE });
  print(`🎯 ${GOAL}`);
  const reporting = reportFindings(fleet, mission.id, { findings, print, signal: following.signal });
  try {
    const [answer] = await Promise.all([mission.finding({ timeoutMs: MISSION_TIMEOUT_MS }), reporting]);
    printAnswer(answer, print);
    return true;
  } catch (error) {
    print(`❌ ${toMessage(error)}`);
    return false;
  } finally {
    following.abort();
    await reporting.catch(() => undefined); // it closes its connection
  }
}

/** Prints the plan, then each finding of it, until the mission's own finding arrives. */
async function reportFindings(
  fleet: OpenFleet,
  missionId: string,
  {
    findings,
    print,
    signal,
  }: { findings: AsyncIterable<StoredFinding>; print: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const record = await waitForPlan(fleet, missionId, signal);
  for (const line of describeStart(record)) print(line);
  print('');
  for await (const finding of findings) {
    if (finding.job_id === missionId) return;
    if (!isOfPlan(finding, missionId)) continue;
    for (const line of describeFinding(finding)) print(line);
  }
}

/**
 * @returns the mission once it has a plan, or has ended without one
 * @throws HaltError while the fleet is halted, because no plan is made then; the signal's reason
 */
async function waitForPlan({ inner }: OpenFleet, id: string, signal: AbortSignal): Promise<MissionRecord> {
  for (;;) {
    const record = await readMission(inner.db, id);
    if (record !== null && (record.plan !== null || record.state !== 'running')) return record;
    const { state } = await readJob(inner.db, 'missions', id);
    const blocker = await readBlocker(inner.db, { queue: 'missions', id, state });
    if (blocker?.kind === 'halted') throw new HaltError(`the fleet is halted (${describeHalt(blocker.halt)})`);
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Whether a finding is of a planned task, and not of the mission's recall or survey. */
function isOfPlan({ job_id: jobId }: StoredFinding, missionId: string): boolean {
  return jobId !== undefined && jobId.startsWith(`${missionId}-`) && /^\d+$/.test(jobId.slice(missionId.length + 1));
}

function printAnswer({ finding_id: id, result, citations }: StoredFinding, print: (line: string) => void): void {
  const answer: unknown = typeof result === 'object' && result !== null && 'answer' in result ? result.answer : result;
  print(`\n📄 The answer, ${id}, cites ${citations.length} findings:`);
  for (const line of wrap(typeof answer === 'string' ? answer : JSON.stringify(answer))) print(line);
}
