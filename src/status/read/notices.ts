import { describeTrees, isOverBound } from '../../patches/sweep/tree-hosts.ts';
import { CANCELLED } from '../../jobs/cancelled.ts';
import { describeReason } from '../../jobs/wake/reason.ts';
import { describeKeyConflict } from '../../librarian/opening/shard-keys.ts';
import { describeBudget, toBudgetCommand } from '../../ledger/budget.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toOneLine } from '../../text/one-line.ts';
import { describeForeign } from '../../swarm/damage/foreign-keys.ts';
import { describeSkew } from '../../swarm/host-clocks.ts';
import { countOf } from '../../text/plural.ts';
import type { Notice, StatusSnapshot } from '../types.ts';
import { describeCompaction } from './compaction.ts';

/** The notices for an operator, in the order in which they are shown. */
export function noticesOf(snapshot: StatusSnapshot): Notice[] {
  return [
    ...pausedQueues(snapshot),
    ...unattendedQueues(snapshot),
    ...outsideWorkers(snapshot),
    ...parkedByBudget(snapshot),
    ...parkedByPerson(snapshot),
    ...tightClients(snapshot),
    ...waitingJobs(snapshot),
    ...failures(snapshot),
    ...cancelledJobs(snapshot),
    ...blockedParents(snapshot),
    ...schedulers(snapshot),
    ...waitingPatches(snapshot),
    ...rules(snapshot),
    ...oldTasks(snapshot),
    ...keyConflicts(snapshot),
    ...coolingModels(snapshot),
    ...fullArchive(snapshot),
    ...manyTrees(snapshot),
    ...foreignKeys(snapshot),
    ...unreadableFindings(snapshot),
    ...oldWorkers(snapshot),
    ...wrongClocks(snapshot),
    ...refusedSwarms(snapshot),
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

/** Other swarms that could not be read: nothing stops for them, and answers leave them out. */
function refusedSwarms({ otherSwarms }: StatusSnapshot): Notice[] {
  return otherSwarms.flatMap(({ refused }) =>
    refused === null
      ? []
      : [
          {
            kind: 'other-swarm',
            level: 'warning',
            label: 'Other swarm',
            text: toOneLine(refused.message),
            hint: 'fleet doctor',
          },
        ],
  );
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

/** Leases that the terminal names; further ones are only counted. */
const NAMED_LEASES = 3;

function outsideWorkers({ outside: { offered, held, leases } }: StatusSnapshot): Notice[] {
  if (offered + held === 0) return [];
  const named = leases.slice(0, NAMED_LEASES).map(({ worker, taskId, expiresAt }) => {
    return toOneLine(`${worker} ${taskId} until ${expiresAt.slice(11, 19)} UTC`);
  });
  const more = held > named.length ? [`and ${held - named.length} more`] : [];
  const who = held === 0 ? '' : `: ${[...named, ...more].join(', ')}`;
  const text = `${countOf(offered, 'task')} offered, ${held} held${who}`;
  return [{ kind: 'outside', level: 'info', label: 'Outside workers', text }];
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
  const items = groups.map(({ scope, name, count, budget }) => ({
    text: `${count} ${scope}${name ? ` ${toOneLine(name)}` : ''}${budget ? ` (${describeBudget(budget)})` : ''}`,
    command: toBudgetCommand(scope, name ? toOneLine(name) : 'NAME'),
  }));
  const scopes = [...new Set(groups.map(({ scope }) => scope))];
  const flags = scopes.length === 1 ? `--${scopes[0]}` : '--client|--batch|--mission|--rule|--task';
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

function tightClients({ tightClients: clients }: StatusSnapshot): Notice[] {
  if (clients.length === 0) return [];
  const items = clients.map(({ name, limitNanoUsd: limit, usedNanoUsd: used }) => ({
    text: `${name} ${formatUsd(used, 4)} of ${formatUsd(limit, 4)}`,
    command: `fleet budget USD --client ${name}`,
  }));
  return [
    {
      kind: 'clients',
      level: clients.some(({ limitNanoUsd, usedNanoUsd }) => usedNanoUsd >= limitNanoUsd) ? 'warning' : 'info',
      label: 'Budget of clients',
      text: items.map(({ text }) => text).join(' | '),
      command: 'fleet budget USD --client NAME',
      hint: 'raises it',
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

/** Each waits in the queue's state `delayed` and is woken when that is there. */
function waitingJobs({ waits }: StatusSnapshot): Notice[] {
  if (waits.length === 0) return [];
  const items = waits.map(({ reason, count, budget }) => ({
    text: toOneLine(`${countOf(count, 'job')} for ${describeReason(reason, budget)}`),
    command: reason.kind === 'money' ? toBudgetCommand(reason.scope, toOneLine(reason.name)) : '',
  }));
  const money = items.filter(({ command }) => command !== '');
  const [first] = money;
  const text = items.map((item) => item.text).join(' | ');
  const raise = first === undefined ? {} : { command: first.command, hint: 'raises it', items: money };
  return [{ kind: 'waits', level: 'info', label: 'Delayed', text, ...raise }];
}

function failures({ failed, failedSampled, queues }: StatusSnapshot): Notice[] {
  if (failed.length === 0) return [];
  const byReason = new Map<string, number>();
  for (const { reason, count } of failed) byReason.set(reason, (byReason.get(reason) ?? 0) + count);
  const groups = [...byReason].map(([reason, count]) => `${count} ${reason}`).join(' | ');
  const isSample = queues.some((queue) => queue.failed + queue.cancelled > failedSampled);
  const text = `${groups}${isSample ? ` (of the newest ${failedSampled})` : ''}`;
  return [{ kind: 'failed', level: 'info', label: 'Failed', text }];
}

function cancelledJobs({ queues }: StatusSnapshot): Notice[] {
  const nouns: Record<string, string> = { tasks: 'task', archive: 'question', missions: 'mission' };
  const parts = queues.flatMap(({ name, cancelled }) =>
    cancelled === 0 ? [] : [countOf(cancelled, nouns[name] ?? 'job')],
  );
  if (parts.length === 0) return [];
  const [command, hint] = [`fleet retry --reason ${CANCELLED}`, 'runs the tasks after all'];
  return [{ kind: 'cancelled', level: 'info', label: 'Cancelled', text: parts.join(' | '), command, hint }];
}

function blockedParents({ blocked }: StatusSnapshot): Notice[] {
  const [first] = blocked;
  if (first === undefined) return [];
  const more = blocked.length === 1 ? '' : `, and ${blocked.length - 1} more`;
  const text = `${toOneLine(first.id, 100)} waits for a child that ${first.why === null ? 'is gone' : 'failed'}${more}`;
  const hint = 'names them and the children';
  return [{ kind: 'blocked', level: 'warning', label: 'Blocked', text, command: 'fleet failed', hint }];
}

function schedulers({ schedulers: found }: StatusSnapshot): Notice[] {
  if (found.length === 0) return [];
  const named = found.slice(0, 3).map(({ queue, id, when }) => `${id} on ${queue}${when === '' ? '' : ` (${when})`}`);
  const more = found.length > named.length ? `, and ${found.length - named.length} more` : '';
  const text = `${named.join(', ')}${more}: another program adds paid work again and again`;
  return [{ kind: 'schedulers', level: 'info', label: 'Schedulers', text: toOneLine(text) }];
}

function oldTasks({ bridge: { older, held } }: StatusSnapshot): Notice[] {
  if (older === 0 && held === 0) return [];
  const parts = [
    ...(older === 0 ? [] : [`${countOf(older, 'task')} from before the bridge wait for you`]),
    ...(held === 0 ? [] : [`${countOf(held, 'task')} held by workers of other programs`]),
  ];
  return [{ kind: 'bridge', level: 'info', label: 'Old programs', text: parts.join(', '), command: 'fleet bridge ls' }];
}

function rules({ rules: { total, parked, lines } }: StatusSnapshot): Notice[] {
  if (total === 0 && parked === 0) return [];
  const notice = { kind: 'rules', level: 'info' } as const;
  const sum = (of: 'fired' | 'firedToday'): string =>
    lines.reduce((all, line) => all + line[of], 0).toLocaleString('en-US');
  const paused = lines.filter(({ state }) => state === 'paused').length;
  const text = `${total.toLocaleString('en-US')}${paused === 0 ? '' : ` (${paused} paused)`}, fired ${sum('firedToday')} today, ${sum('fired')} in all`;
  const chains = lines
    .filter((line) => line.parked > 0)
    .map((line) => ({ text: `${line.parked} of ${line.name}`, command: `fleet when show ${line.name}` }));
  return [
    { ...notice, label: 'Rules', text, command: 'fleet when ls', hint: 'lists them' },
    ...(parked === 0
      ? []
      : [
          {
            ...notice,
            label: 'Parked: chains',
            text: chains.length === 0 ? countOf(parked, 'chain') : chains.map((item) => item.text).join(' | '),
            command: chains.length === 1 ? (chains[0]?.command ?? '') : 'fleet when show NAME',
            hint: 'shows each, and what starts it',
            ...(chains.length === 0 ? {} : { items: chains }),
          },
        ]),
    ...lines.flatMap(({ name, problem, state }): Notice[] => {
      if (problem === null) return [];
      const command = state === 'paused' ? `fleet when resume ${name}` : `fleet when show ${name}`;
      return [{ ...notice, level: 'warning', label: `Rule ${name}`, text: toOneLine(problem, 300), command }];
    }),
  ];
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
  const added = Object.entries(spend).filter(([, { externalNanoUsd }]) => externalNanoUsd !== 0);
  if (added.length === 0) return [];
  const costs = added.map(([vendor, { externalNanoUsd }]) => `${vendor} ${formatUsd(externalNanoUsd, 4)}`);
  return [
    {
      kind: 'external',
      level: 'info',
      label: 'External cost',
      text: `${costs.join(' | ')} (added by other programs)`,
    },
  ];
}

/** What depends on a public key waits or is kept apart. Where all jobs need a private one, the fleet halts with its name. */
function foreignKeys({ foreignKeys: found }: StatusSnapshot): Notice[] {
  const [first] = found;
  if (first === undefined) return [];
  const items = found.map((foreign) => ({ text: describeForeign(foreign), command: foreign.command }));
  const text = items.map((item) => item.text).join(' | ');
  const hint = 'mends it: yours to decide';
  const { command } = first;
  return [{ kind: 'foreign', level: 'warning', label: 'Wrong keys', text, command, hint, items }];
}

function unreadableFindings({ unreadableFindings: count }: StatusSnapshot): Notice[] {
  if (count === 0) return [];
  const text = `${countOf(count, 'finding')} of other programs`;
  const command = 'fleet findings --unreadable';
  return [{ kind: 'unreadable', level: 'warning', label: 'Unreadable', text, command, hint: 'lists them' }];
}

/** Their calls would be counted as one quota, so that only the librarians with the key of the last start ask. */
function keyConflicts({ keyConflicts: found }: StatusSnapshot): Notice[] {
  if (found.length === 0) return [];
  const text = toOneLine(found.map(describeKeyConflict).join(' | '), 600);
  const hint = 'on the wrong host, once its key is the same';
  return [{ kind: 'shard-keys', level: 'warning', label: 'Shard keys', text, command: 'fleet reload', hint }];
}

/** Old workers that the terminal names; further ones are only counted. */
const NAMED_OLD_WORKERS = 3;

function oldWorkers({ oldWorkers: found }: StatusSnapshot): Notice[] {
  if (found.length === 0) return [];
  const named = found.slice(0, NAMED_OLD_WORKERS).map(({ id }) => toOneLine(id, 60));
  const more = found.length > named.length ? [`and ${found.length - named.length} more`] : [];
  const text = `${found.length} of other programs (${[...named, ...more].join(', ')})`;
  return [{ kind: 'old-workers', level: 'info', label: 'Old workers', text }];
}

/** The fleet goes by Redis' clock: a wrong one only makes the host's logs hard to read. */
function wrongClocks({ hostClocks }: StatusSnapshot): Notice[] {
  if (hostClocks.length === 0) return [];
  const hosts = hostClocks.map(({ host, skewMs }) => `clock of ${toOneLine(host)} is ${describeSkew(skewMs)}`);
  const text = `⚠ ${hosts.join(' | ')}: set it with NTP; the fleet goes by Redis' clock`;
  return [{ kind: 'clock', level: 'warning', label: 'Clock', text }];
}
