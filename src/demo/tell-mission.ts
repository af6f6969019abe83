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

/** What the demo asks of any folder. */
const GOAL = 'What is in here, what does it do, and what is left to do?';
const MISSION_TIMEOUT_MS = 120_000;
const LOOK_EVERY_MS = 100;

/** Gives the fleet one mission over the folder and says what comes of it, as it comes. @returns whether it was done */
export async function tellMission(fleet: OpenFleet, say: (line: string) => void): Promise<boolean> {
  const following = new AbortController();
  const findings = fleet.findings.follow({ signal: following.signal }); // from before the mission on: none is missed
  const mission = await fleet.missions.add({ goal: GOAL, workspace: DEMO_WORKSPACE });
  say(`🎯 ${GOAL}`);
  const telling = tellFindings(fleet, mission.id, { findings, say, signal: following.signal });
  try {
    const [answer] = await Promise.all([mission.finding({ timeoutMs: MISSION_TIMEOUT_MS }), telling]);
    tellAnswer(answer, say);
    return true;
  } catch (error) {
    say(`❌ ${toMessage(error)}`);
    return false;
  } finally {
    following.abort();
    await telling.catch(() => undefined); // it lets go of its connection
  }
}

/** Until the mission's own finding comes. */
async function tellFindings(
  fleet: OpenFleet,
  missionId: string,
  {
    findings,
    say,
    signal,
  }: { findings: AsyncIterable<StoredFinding>; say: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const record = await waitForPlan(fleet, missionId, signal);
  for (const line of describeStart(record)) say(line);
  say('');
  for await (const finding of findings) {
    if (finding.job_id === missionId) return;
    if (!isOfPlan(finding, missionId)) continue;
    for (const line of describeFinding(finding)) say(line);
  }
}

/**
 * @returns the mission once it has a plan, or has ended without one
 * @throws HaltError while the fleet is halted: no plan comes; the signal's reason
 */
async function waitForPlan({ inner }: OpenFleet, id: string, signal: AbortSignal): Promise<MissionRecord> {
  for (;;) {
    const record = await readMission(inner.db, id);
    if (record !== null && (record.plan !== null || record.state !== 'running')) return record;
    const { state } = await readJob(inner.db, 'missions', id);
    const blocker = await readBlocker(inner.db, { queue: 'missions', id, state });
    if (blocker?.kind === 'halted') throw new HaltError(`the fleet is halted (${describeHalt(blocker.halt)})`);
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Not what the mission asked for itself: the recall and the survey. */
function isOfPlan({ job_id: jobId }: StoredFinding, missionId: string): boolean {
  return jobId !== undefined && jobId.startsWith(`${missionId}-`) && /^\d+$/.test(jobId.slice(missionId.length + 1));
}

function tellAnswer({ finding_id: id, result, citations }: StoredFinding, say: (line: string) => void): void {
  const answer: unknown = typeof result === 'object' && result !== null && 'answer' in result ? result.answer : result;
  say(`\n📄 The answer, ${id}, cites ${citations.length} findings:`);
  for (const line of wrap(typeof answer === 'string' ? answer : JSON.stringify(answer))) say(line);
}
