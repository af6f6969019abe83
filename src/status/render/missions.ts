import { countOf, formatCount } from '../../text/plural.ts';
import { formatSpent } from '../../pricing/free-local.ts';
import { formatUsd } from '../../pricing/money.ts';
import { describeNotDone } from '../../coordinator/mission/describe-done.ts';
import { delegationOf } from '../read/delegation.ts';
import type { Colours } from './colours.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { MissionLine, StatusSnapshot } from '../types.ts';

/** Lines about open missions, and the cost of the coordinator, of the archive and of rework; none where there is nothing to report. */
export function renderMissionLines(snapshot: StatusSnapshot, colours: Colours): string[] {
  return [
    ...renderStates(snapshot),
    ...listOpenMissions(snapshot).map((mission) => renderMission(mission, colours)),
    ...renderMoney(snapshot),
  ];
}

/** The newest missions that have not ended, newest first. */
export function listOpenMissions({ missions }: StatusSnapshot): MissionLine[] {
  return missions.filter(({ state }) => state !== 'done' && state !== 'failed' && state !== 'cancelled');
}

/** Counts all missions by the state of their job. */
function renderStates({ queues }: StatusSnapshot): string[] {
  const queue = queues.find(({ name }) => name === 'missions');
  if (queue === undefined) return [];
  const { waiting, active, waitingForChildren, delayed, parked } = queue;
  const states: [number, string][] = [
    [active, 'running'],
    [waitingForChildren, 'waiting for tasks'],
    [waiting, 'in line'],
    [delayed + parked, 'set aside'], // waits for a person's choice or approval, is parked, or waits for a time
  ];
  const counts = states.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return counts.length === 0 ? [] : [`Missions:         ${counts.join(' | ')}`];
}

function renderMission(mission: MissionLine, colours: Colours): string {
  const { id, goal, state, words, isPlanned, tasks, problem, costNanoUsd, freeLocal } = mission;
  const facts = [
    words,
    ...describeTasks(tasks, isPlanned),
    ...describeNotDone(tasks),
    formatSpent(costNanoUsd, 4, freeLocal),
  ];
  const line = `  ${id}  ${facts.join(', ')}: ${toOneLine(goal)}`;
  if (state === 'asks' || state === 'planned') return colours.yellow(line); // the first lines of the status say what it needs
  if (problem === '' && state !== 'parked') return line;
  const command = state === 'parked' ? ` (fleet resume ${id})` : '';
  return colours.yellow(`${line}\n    ${problem === '' ? 'set aside by a person' : toOneLine(problem)}${command}`);
}

function describeTasks({ done, total }: MissionLine['tasks'], isPlanned: boolean): string[] {
  if (total === 0) return [];
  return [isPlanned ? `${countOf(total, 'task')} planned` : `${done} of ${countOf(total, 'task')} done`];
}

function renderMoney(snapshot: StatusSnapshot): string[] {
  const { coordinator, archive, rework, saving, lead } = snapshot;
  const lines: string[] = [];
  if (coordinator.calls > 0) {
    const { coordinatorTokens, coordinatorCost } = delegationOf(snapshot);
    const share = (value: number | null): string => `${((value ?? 0) * 100).toFixed(1)}%`;
    lines.push(
      `Coordinator:      ${formatUsd(coordinator.nanoUsd, 4)} for ${countOf(coordinator.calls, 'call')} of its own, no tasks (in the above: ${share(coordinatorTokens)} of tokens, ${share(coordinatorCost)} of cost)`,
    );
  }
  if (archive.calls > 0) {
    const tokens = formatCount(archive.tokens);
    lines.push(
      `Archive cost:     ${formatUsd(archive.nanoUsd, 4)} for ${countOf(archive.calls, 'call')} of librarians, ${tokens} tokens (in none of the shares)`,
    );
  }
  if (rework.tasks > 0) {
    const percent = (value: number | null): string => (value === null ? 'none' : `${value.toFixed(1)}%`);
    const savedText =
      saving === null
        ? ''
        : `; saved against all ${lead?.name ?? 'Sonnet'}: ${percent(saving.savedPercent)}, after rework ${percent(saving.effectiveSavedPercent)}`;
    lines.push(
      `Rework:           ${formatUsd(rework.nanoUsd, 4)} on ${countOf(rework.tasks, 'failed task')}${savedText}`,
    );
  }
  return lines;
}
