import { formatUsd } from '../../pricing/money.ts';
import { countOf } from '../../text/plural.ts';
import type { Notice, StatusSnapshot } from '../types.ts';

/** `$0.0012 today; so far 2 calls ended before their answers were stored`. */
export function describeUncertain({ callCount, todayNanoUsd }: StatusSnapshot['uncertain']): string {
  const what = callCount === 1 ? 'ended before its answer was' : 'ended before their answers were';
  return `${formatUsd(todayNanoUsd, 4)} today; so far ${countOf(callCount, 'call')} ${what} stored`;
}

export function uncertainCost({ uncertain }: StatusSnapshot): Notice[] {
  if (uncertain.callCount <= 0 && uncertain.todayNanoUsd <= 0) return [];
  const text = describeUncertain(uncertain);
  const command = 'fleet costs --uncertain';
  return [{ kind: 'uncertain', level: 'info', label: 'Uncertain cost', text, command, hint: 'lists them' }];
}

export function dayBudget({ budget }: StatusSnapshot): Notice[] {
  const { limitNanoUsd: limit, settledNanoUsd, reservedNanoUsd: reserved, uncertainNanoUsd } = budget;
  if (limit === null) return [];
  const used = settledNanoUsd + reserved + uncertainNanoUsd;
  const share = limit > 0 ? ` (${((used / limit) * 100).toFixed(1)}%)` : '';
  const held = reserved > 0 ? `, ${formatUsd(reserved, 4)} of it reserved` : '';
  const text = `${formatUsd(used, 4)} of ${formatUsd(limit, 4)}${share}${held}`;
  return [{ kind: 'budget', level: used >= limit ? 'warning' : 'info', label: 'Budget Today', text }];
}

export function externalCost({ spend }: StatusSnapshot): Notice[] {
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
