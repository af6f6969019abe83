import { countOf } from '../../text/plural.ts';
import { formatUsd } from '../../pricing/money.ts';
import { delegationOf } from '../read/delegation.ts';
import type { Paint } from './colours.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { MissionLine, StatusSnapshot } from '../types.ts';

/** Missions that are under way and what the coordinator and rework have cost, each only where there is something to say. */
export function renderMissions(snapshot: StatusSnapshot, paint: Paint): string[] {
  return [
    ...renderStates(snapshot),
    ...openMissions(snapshot).map((mission) => renderMission(mission, paint)),
    ...renderMoney(snapshot),
  ];
}

/** The newest missions without those that have ended. */
export function openMissions({ missions }: StatusSnapshot): MissionLine[] {
  return missions.filter(({ state }) => state !== 'done' && state !== 'failed');
}

/** Over all missions, by what their queue says. */
function renderStates({ queues }: StatusSnapshot): string[] {
  const queue = queues.find(({ name }) => name === 'missions');
  if (queue === undefined) return [];
  const { waiting, active, waitingForChildren, delayed, parked } = queue;
  const states: [number, string][] = [
    [active, 'running'],
    [waitingForChildren, 'waiting for tasks'],
    [waiting, 'in line'],
    [delayed + parked, 'set aside'], // asks a person, parked, or told to come back later
  ];
  const said = states.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return said.length === 0 ? [] : [`Missions:         ${said.join(' | ')}`];
}

function renderMission(mission: MissionLine, paint: Paint): string {
  const { id, goal, state, step, tasks, problem, costNanoUsd } = mission;
  const count = (value: number, word: string): string[] => (value === 0 ? [] : [`${value} ${word}`]);
  const facts = [
    state === 'running' ? step : state,
    ...(tasks.total === 0 ? [] : [`${tasks.done} of ${countOf(tasks.total, 'task')} done`]),
    ...count(tasks.failed, 'failed'),
    ...count(tasks.skipped, 'skipped'),
    formatUsd(costNanoUsd, 4),
  ];
  const line = `  ${id}  ${facts.join(', ')}: ${toOneLine(goal)}`;
  if (problem === '' && state !== 'asks' && state !== 'parked') return line;
  const way = state === 'asks' ? ` (fleet resume ${id} --retry)` : state === 'parked' ? ` (fleet resume ${id})` : '';
  return paint.yellow(`${line}\n    ${problem === '' ? 'set aside by a person' : toOneLine(problem)}${way}`);
}

function renderMoney(snapshot: StatusSnapshot): string[] {
  const { coordinator, rework, saving } = snapshot;
  const lines: string[] = [];
  if (coordinator.calls > 0) {
    const { coordinatorTokens, coordinatorCost } = delegationOf(snapshot);
    const share = (value: number | null): string => `${((value ?? 0) * 100).toFixed(1)}%`;
    lines.push(
      `Coordinator:      ${formatUsd(coordinator.nanoUsd, 4)} for ${countOf(coordinator.calls, 'call')} of its own, no tasks (in the above: ${share(coordinatorTokens)} of tokens, ${share(coordinatorCost)} of cost)`,
    );
  }
  if (rework.tasks > 0) {
    const percent = (value: number | null): string => (value === null ? 'none' : `${value.toFixed(1)}%`);
    const told =
      saving === null
        ? ''
        : `; saved against all Sonnet: ${percent(saving.savedPercent)}, after rework ${percent(saving.effectiveSavedPercent)}`;
    lines.push(`Rework:           ${formatUsd(rework.nanoUsd, 4)} on ${countOf(rework.tasks, 'failed task')}${told}`);
  }
  return lines;
}
