import { describeTrees, isOverBound } from '../../patches/sweep/tree-hosts.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toOneLine } from '../../text/one-line.ts';
import { countOf } from '../../text/plural.ts';
import { VENDORS, type Notice, type StatusSnapshot } from '../types.ts';
import { describeCompaction } from './compaction.ts';

/** The notices for an operator, in the order in which they are shown. */
export function noticesOf(snapshot: StatusSnapshot): Notice[] {
  return [
    ...pausedQueues(snapshot),
    ...unattendedQueues(snapshot),
    ...parkedByBudget(snapshot),
    ...parkedByPerson(snapshot),
    ...failures(snapshot),
    ...waitingPatches(snapshot),
    ...coolingModels(snapshot),
    ...fullArchive(snapshot),
    ...manyTrees(snapshot),
    ...counted(snapshot),
    ...uncertainCost(snapshot),
    ...dayBudget(snapshot),
    ...externalCost(snapshot),
  ];
}

/** `$0.0012 today; so far 2 calls ended before their answers were stored`. */
export function describeUncertain({ callCount, todayNanoUsd }: StatusSnapshot['uncertain']): string {
  const what = callCount === 1 ? 'ended before its answer was' : 'ended before their answers were';
  return `${formatUsd(todayNanoUsd, 4)} today; so far ${countOf(callCount, 'call')} ${what} stored`;
}

/** None while the fleet is halted: a halt pauses every queue. */
function pausedQueues({ queues, halt }: StatusSnapshot): Notice[] {
  const paused = queues.filter((queue) => queue.paused).map((queue) => queue.name);
  if (paused.length === 0 || halt !== null) return [];
  const text = `${paused.join(', ')} (by a person)`;
  return [{ kind: 'paused', level: 'warning', label: 'Paused', text, hint: 'resume it on its page under Queues' }];
}

function unattendedQueues(snapshot: StatusSnapshot): Notice[] {
  const waiting: [string, number, string][] = [
    ['No worker for', snapshot.tasksWithoutWorker, 'waiting task'],
    ['No librarian', snapshot.questionsWithoutLibrarian, 'waiting question'],
    ['No coordinator', snapshot.missionsWithoutCoordinator, 'waiting mission'],
  ];
  return waiting
    .filter(([, count]) => count > 0)
    .map(([label, count, noun]) => ({
      kind: 'unattended',
      level: 'warning',
      label,
      text: countOf(count, noun),
      command: 'fleet up',
    }));
}

function waitingPatches({ patches }: StatusSnapshot): Notice[] {
  const { pending, conflict } = patches;
  const parts = [
    ...(pending > 0 ? [`${pending.toLocaleString('en-US')} pending`] : []),
    ...(conflict > 0 ? [`${conflict.toLocaleString('en-US')} ${conflict === 1 ? 'conflict' : 'conflicts'}`] : []),
  ];
  if (parts.length === 0) return [];
  return [
    {
      kind: 'patches',
      level: 'info',
      label: 'Patches',
      text: parts.join(', '),
      command: 'fleet diff',
      hint: 'lists them',
    },
  ];
}

/** Scope of jobs whose mission a person parked: no budget releases them. */
const PARKED_MISSION = 'parked-mission';

function parkedByBudget({ parked, queues }: StatusSnapshot): Notice[] {
  const notice = { kind: 'parked', level: 'info', label: 'Parked: budget' } as const;
  if (parked.length === 0) {
    const count = queues.reduce((sum, queue) => sum + queue.parked, 0); // too many to group
    return count === 0 ? [] : [{ ...notice, text: countOf(count, 'job') }];
  }
  const groups = parked.filter(({ scope }) => scope !== PARKED_MISSION);
  if (groups.length === 0) return [];
  const items = groups.map(({ scope, name, count }) => ({
    text: `${count} ${scope}${name ? ` ${toOneLine(name)}` : ''}`,
    command: `fleet budget USD --${scope} ${name ? toOneLine(name) : 'NAME'}`,
  }));
  const scopes = [...new Set(groups.map(({ scope }) => scope))];
  const flags = scopes.length === 1 ? `--${scopes[0]}` : '--batch|--mission|--task';
  return [
    {
      ...notice,
      text: items.map(({ text }) => text).join(' | '),
      command: `fleet budget USD ${flags} NAME`,
      hint: 'lets them go on',
      items,
    },
  ];
}

function parkedByPerson({ parked }: StatusSnapshot): Notice[] {
  return parked
    .filter(({ scope }) => scope === PARKED_MISSION)
    .map(({ name, count }) => {
      const mission = toOneLine(name ?? 'MISSION');
      return {
        kind: 'parked',
        level: 'info',
        label: 'Parked: person',
        text: `${countOf(count, 'job')} of ${mission}`,
        command: `fleet resume ${mission}`,
      };
    });
}

function failures({ failed, failedSampled, queues }: StatusSnapshot): Notice[] {
  if (failed.length === 0) return [];
  const byReason = new Map<string, number>();
  for (const { reason, count } of failed) byReason.set(reason, (byReason.get(reason) ?? 0) + count);
  const groups = [...byReason].map(([reason, count]) => `${count} ${reason}`).join(' | ');
  const isSample = queues.some((queue) => queue.failed > failedSampled);
  const text = `${groups}${isSample ? ` (of the newest ${failedSampled})` : ''}`;
  return [{ kind: 'failed', level: 'info', label: 'Failed', text }];
}

function coolingModels({ cooling, uncertain }: StatusSnapshot): Notice[] {
  const notice = { kind: 'cooling', level: 'warning', label: 'Cooling' } as const;
  const [forMoney, forProvider] = [true, false].map((wanted) =>
    cooling.filter(({ isForMoney }) => isForMoney === wanted),
  );
  const toWait = ({ model, forMs }: StatusSnapshot['cooling'][number]): string =>
    `${model} for ${Math.ceil(forMs / 1_000)} s`;
  const notices: Notice[] = [];
  if (forProvider !== undefined && forProvider.length > 0) {
    notices.push({ ...notice, text: forProvider.map(toWait).join(' | '), hint: 'waits for its provider' });
  }
  if (forMoney !== undefined && forMoney.length > 0) {
    const models = forMoney.map(({ model }) => model).join(', ');
    const cost = `uncertain cost of ${formatUsd(uncertain.todayNanoUsd, 4)} fills the day's budget`;
    const hint = 'settle it with fleet budget --settle-uncertain';
    notices.push({ ...notice, text: `${models}: ${cost}`, command: 'fleet costs --uncertain', hint });
  }
  return notices;
}

function fullArchive(snapshot: StatusSnapshot): Notice[] {
  const text = describeCompaction(snapshot);
  return text === null ? [] : [{ kind: 'archive', level: 'warning', label: 'Archive', text: toOneLine(text) }];
}

function manyTrees({ treeHosts }: StatusSnapshot): Notice[] {
  const tooMany = treeHosts.filter(isOverBound);
  if (tooMany.length === 0) return [];
  const text = tooMany.map(describeTrees).join(' | ');
  const hint = 'lists those of its host, and why each stays';
  return [
    { kind: 'trees', level: 'warning', label: 'Task trees', text: toOneLine(text), command: 'fleet worktrees', hint },
  ];
}

function counted({ counters }: StatusSnapshot): Notice[] {
  const { recoveries = 0, ...others } = counters;
  const rest = Object.entries(others)
    .filter(([name]) => !name.startsWith('failed_')) // the notice `failures` counts these, without the repaired ones
    .map(([name, count]) => `${name.replaceAll('_', ' ')}: ${count}`);
  const notice = { kind: 'counters', level: 'info', hint: 'since the swarm began' } as const;
  return [
    ...(recoveries === 0 ? [] : [{ ...notice, label: 'Recoveries', text: String(recoveries) }]),
    ...(rest.length === 0 ? [] : [{ ...notice, label: 'Counted', text: rest.join(' | ') }]),
  ];
}

function uncertainCost({ uncertain }: StatusSnapshot): Notice[] {
  if (uncertain.callCount <= 0 && uncertain.todayNanoUsd <= 0) return [];
  const text = describeUncertain(uncertain);
  const command = 'fleet costs --uncertain';
  return [{ kind: 'uncertain', level: 'info', label: 'Uncertain cost', text, command, hint: 'lists them' }];
}

function dayBudget({ budget }: StatusSnapshot): Notice[] {
  const { limitNanoUsd: limit, settledNanoUsd, reservedNanoUsd: reserved, uncertainNanoUsd } = budget;
  if (limit === null) return [];
  const used = settledNanoUsd + reserved + uncertainNanoUsd;
  const share = limit > 0 ? ` (${((used / limit) * 100).toFixed(1)}%)` : '';
  const held = reserved > 0 ? `, ${formatUsd(reserved, 4)} of it reserved` : '';
  const text = `${formatUsd(used, 4)} of ${formatUsd(limit, 4)}${share}${held}`;
  return [{ kind: 'budget', level: used >= limit ? 'warning' : 'info', label: 'Budget Today', text }];
}

function externalCost({ spend }: StatusSnapshot): Notice[] {
  const vendors = VENDORS.filter((vendor) => spend[vendor].externalNanoUsd !== 0);
  if (vendors.length === 0) return [];
  const costs = vendors.map((vendor) => `${vendor} ${formatUsd(spend[vendor].externalNanoUsd, 4)}`);
  return [
    {
      kind: 'external',
      level: 'info',
      label: 'External cost',
      text: `${costs.join(' | ')} (added by other programs)`,
    },
  ];
}
