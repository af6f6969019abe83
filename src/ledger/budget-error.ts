import { BudgetHeldError, BudgetReachedError } from '../errors.ts';
import { formatUsd } from '../pricing/money.ts';
import type { BeginAnswer } from './types.ts';

/** Says which limit the next call would pass, how much is spent, and the command that goes on. */
export function toBudgetError(answer: Extract<BeginAnswer, { kind: 'budget' }>): BudgetReachedError | BudgetHeldError {
  const { scope, name, limit, spent, held } = answer;
  if (limit < 0) return new BudgetReachedError(scope, name, `${scope} ${name} is parked; fleet resume ${name}`, limit);
  const whose = scope === 'day' ? "the day's budget" : `the budget of ${scope} ${name}`;
  const stand = `${whose} is ${formatUsd(limit, 4)}, ${formatUsd(spent, 4)} of it is spent or reserved`;
  if (held) return new BudgetHeldError(`${stand} for calls under way; when they end there may be room`);
  const more = {
    day: 'fleet budget USD, then fleet resume',
    batch: `fleet budget USD --batch ${name}`,
    mission: `fleet budget USD --mission ${name}`,
    task: `fleet budget USD --task ${name}`,
  }[scope];
  return new BudgetReachedError(scope, name, `${stand}, and the next call could pass it; ${more}`, limit);
}
