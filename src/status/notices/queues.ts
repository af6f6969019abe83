import { CANCELLED } from '../../jobs/cancelled.ts';
import { describeReason } from '../../jobs/wake/reason.ts';
import { toBudgetCommand } from '../../ledger/budget.ts';
import { toOneLine } from '../../text/one-line.ts';
import { countOf, formatCount } from '../../text/plural.ts';
import type { Notice, StatusSnapshot } from '../types.ts';

/** None while the fleet is halted: a halt pauses every queue. */
export function pausedQueues({ queues, halt }: StatusSnapshot): Notice[] {
  const paused = queues.filter((queue) => queue.paused).map((queue) => queue.name);
  if (paused.length === 0 || halt !== null) return [];
  const text = `${paused.join(', ')} (by a person)`;
  return [{ kind: 'paused', level: 'warning', label: 'Paused', text, hint: 'resume it on its page under Queues' }];
}

export function unattendedQueues(snapshot: StatusSnapshot): Notice[] {
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

export function outsideWorkers({ outside: { offered, held, leases } }: StatusSnapshot): Notice[] {
  if (offered + held === 0) return [];
  const named = leases.slice(0, NAMED_LEASES).map(({ worker, taskId, expiresAt }) => {
    return toOneLine(`${worker} ${taskId} until ${expiresAt.slice(11, 19)} UTC`);
  });
  const more = held > named.length ? [`and ${held - named.length} more`] : [];
  const who = held === 0 ? '' : `: ${[...named, ...more].join(', ')}`;
  const text = `${countOf(offered, 'task')} offered, ${held} held${who}`;
  return [{ kind: 'outside', level: 'info', label: 'Outside workers', text }];
}

export function waitingPatches({ patches }: StatusSnapshot): Notice[] {
  const { pending, conflict } = patches;
  const parts = [
    ...(pending > 0 ? [`${formatCount(pending)} pending`] : []),
    ...(conflict > 0 ? [`${formatCount(conflict)} ${conflict === 1 ? 'conflict' : 'conflicts'}`] : []),
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

/** Each waits in the queue's state `delayed` and is woken when that is there. */
export function waitingJobs({ waits }: StatusSnapshot): Notice[] {
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

export function failures({ failed, failedSampled, queues }: StatusSnapshot): Notice[] {
  if (failed.length === 0) return [];
  const byReason = new Map<string, number>();
  for (const { reason, count } of failed) byReason.set(reason, (byReason.get(reason) ?? 0) + count);
  const groups = [...byReason].map(([reason, count]) => `${count} ${reason}`).join(' | ');
  const isSample = queues.some((queue) => queue.failed + queue.cancelled > failedSampled);
  const text = `${groups}${isSample ? ` (of the newest ${failedSampled})` : ''}`;
  return [{ kind: 'failed', level: 'info', label: 'Failed', text }];
}

export function cancelledJobs({ queues }: StatusSnapshot): Notice[] {
  const nouns: Record<string, string> = { tasks: 'task', archive: 'question', missions: 'mission' };
  const parts = queues.flatMap(({ name, cancelled }) =>
    cancelled === 0 ? [] : [countOf(cancelled, nouns[name] ?? 'job')],
  );
  if (parts.length === 0) return [];
  const [command, hint] = [`fleet retry --reason ${CANCELLED}`, 'runs the tasks after all'];
  return [{ kind: 'cancelled', level: 'info', label: 'Cancelled', text: parts.join(' | '), command, hint }];
}

export function blockedParents({ blocked }: StatusSnapshot): Notice[] {
  const [first] = blocked;
  if (first === undefined) return [];
  const more = blocked.length === 1 ? '' : `, and ${blocked.length - 1} more`;
  const text = `${toOneLine(first.id, 100)} waits for a child that ${first.why === null ? 'is gone' : 'failed'}${more}`;
  const hint = 'names them and the children';
  return [{ kind: 'blocked', level: 'warning', label: 'Blocked', text, command: 'fleet failed', hint }];
}

export function schedulers({ schedulers: found }: StatusSnapshot): Notice[] {
  if (found.length === 0) return [];
  const named = found.slice(0, 3).map(({ queue, id, when }) => `${id} on ${queue}${when === '' ? '' : ` (${when})`}`);
  const more = found.length > named.length ? `, and ${found.length - named.length} more` : '';
  const text = `${named.join(', ')}${more}: another program adds paid work again and again`;
  return [{ kind: 'schedulers', level: 'info', label: 'Schedulers', text: toOneLine(text) }];
}

export function oldTasks({ bridge: { older, held } }: StatusSnapshot): Notice[] {
  if (older === 0 && held === 0) return [];
  const parts = [
    ...(older === 0 ? [] : [`${countOf(older, 'task')} from before the bridge wait for you`]),
    ...(held === 0 ? [] : [`${countOf(held, 'task')} held by workers of other programs`]),
  ];
  return [{ kind: 'bridge', level: 'info', label: 'Old programs', text: parts.join(', '), command: 'fleet bridge ls' }];
}

export function rules({ rules: { total, parked, lines } }: StatusSnapshot): Notice[] {
  if (total === 0 && parked === 0) return [];
  const notice = { kind: 'rules', level: 'info' } as const;
  const sum = (of: 'fired' | 'firedToday'): string => formatCount(lines.reduce((all, line) => all + line[of], 0));
  const paused = lines.filter(({ state }) => state === 'paused').length;
  const text = `${formatCount(total)}${paused === 0 ? '' : ` (${paused} paused)`}, fired ${sum('firedToday')} today, ${sum('fired')} in all`;
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
