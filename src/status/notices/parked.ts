import { describeBudget, toBudgetCommand } from '../../ledger/budget.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toOneLine } from '../../text/one-line.ts';
import { countOf } from '../../text/plural.ts';
import type { Notice, StatusSnapshot } from '../types.ts';

/** Scope of jobs whose mission a person parked: no budget releases them. */
const PARKED_MISSION = 'parked-mission';

export function parkedByBudget({ parked, queues }: StatusSnapshot): Notice[] {
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

export function tightClients({ tightClients: clients }: StatusSnapshot): Notice[] {
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

export function parkedByPerson({ parked }: StatusSnapshot): Notice[] {
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
