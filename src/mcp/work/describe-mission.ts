import type { ReviewedPlan } from '../../coordinator/mission/review-types.ts';
import type { MissionStatus } from '../../coordinator/mission/handle-types.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toOneLine } from '../../text/one-line.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { fitLines, PAGE_TOKENS } from '../answer/pages.ts';
import type { ToolCall } from '../tool/types.ts';
import { formatSpent } from '../../pricing/free-local.ts';

const DESCRIPTION_LENGTH = 400;

/** A plan for review, as many of its tasks as fit. @param from number of the first task that is shown */
export function describePlan({ redact }: ToolCall, plan: ReviewedPlan, from: number) {
  const { tasks, forecast, version, canRun, obstacle, costNanoUsd } = plan;
  const lines = tasks.slice(from - 1).map(({ n, model, kind, dependsOn, dropped, description }) => {
    const after = dependsOn.length === 0 ? '' : ` after ${dependsOn.slice(0, 10).join(',')}`;
    return toOneLine(
      redact(`${n}. [${model} ${kind}${after}${dropped ? ' dropped' : ''}] ${description}`),
      DESCRIPTION_LENGTH,
    );
  });
  const intro =
    from === 1 ? [toOneLine(redact(plan.approach), 1_500), ...plan.notes.map((note) => toOneLine(note))] : [];
  const shown = fitLines([...intro, ...lines], PAGE_TOKENS - 800);
  const next = from + shown.length - intro.length;
  return {
    tasks: tasks.length,
    version,
    can_run: canRun,
    ...(obstacle === null ? {} : { obstacle: toOneLine(obstacle, 400) }),
    spent_usd: formatUsd(costNanoUsd, 4),
    likely_usd: formatUsd(forecast.cost.likely, 4),
    high_usd: formatUsd(forecast.cost.worst, 4),
    budget_left_usd: formatUsd(forecast.cost.budgetLeft, 4),
    ...(next <= tasks.length ? { next_from: next } : {}),
    material: toMaterial(`the plan of mission ${plan.missionId}`, shown.join('\n')),
  };
}

/** Where a mission is. Its problem may quote a model. */
export function describeMission(
  { redact }: ToolCall,
  { state, step, counts, problem, finding, budget }: MissionStatus,
) {
  const { total, done, failed, cancelled, skipped } = counts;
  return {
    state,
    step,
    ...(total === 0 ? {} : { tasks: total, done, failed, ...(cancelled === 0 ? {} : { cancelled }), skipped }),
    spent_usd: formatSpent(budget.settled, 4, budget.freeLocal),
    ...(finding === null ? {} : { finding }),
    ...(problem === '' ? {} : { material: toMaterial('the mission’s problem', toOneLine(redact(problem), 3_000)) }),
  };
}
