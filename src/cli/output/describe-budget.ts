import type { BudgetState } from '../../ledger/budget.ts';
import { formatUsd } from '../../pricing/money.ts';

/** One budget in one line: the limit, what is spent, held and uncertain apart, and what is left. */
export function describeBudget({ limit, settled, reserved, uncertain }: BudgetState): string {
  const used = settled + reserved + uncertain;
  const parts = [
    `${formatUsd(settled, 4)} spent`,
    ...(reserved > 0 ? [`${formatUsd(reserved, 4)} reserved`] : []),
    ...(uncertain > 0 ? [`${formatUsd(uncertain, 4)} uncertain`] : []),
  ];
  if (limit === null) return `none set, ${parts.join(', ')}`;
  return `${formatUsd(limit, 4)}, ${parts.join(', ')}, ${formatUsd(Math.max(0, limit - used), 4)} left`;
}
