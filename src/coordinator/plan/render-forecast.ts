import { countOf } from '../../text/plural.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toSavedPercent } from '../../pricing/cost.ts';
import type { MissionForecast } from './forecast.ts';

/** The forecast that `fleet mission --dry-run` prints below the plan. */
export function renderMissionForecast({ tasks, cost, quota, time, basis }: MissionForecast): string {
  const tight = cost.worst > cost.budgetLeft ? ' ⚠️  may not be enough: fleet budget USD' : '';
  const short = quota !== null && quota.questions > quota.leftToday ? ' ⚠️  questions will wait for the next day' : '';
  return [
    `Tasks:       ${countOf(tasks.total, 'task')}, ${tasks.haiku.toLocaleString('en-US')} of them to Haiku, ${tasks.sonnet.toLocaleString('en-US')} to Sonnet`,
    `Cost:        ${formatUsd(cost.likely, 4)} likely, ${formatUsd(cost.worst, 4)} at worst (${formatUsd(cost.synthesis, 4)} of it the synthesis)`,
    `All Sonnet:  ${formatUsd(cost.allSonnet, 4)}, saved ${toSavedPercent(cost.likely, cost.allSonnet).toFixed(1)} %`,
    `Budget left: ${formatUsd(cost.budgetLeft, 4)} today${tight}`,
    quota === null
      ? 'Quota:       no archive: no shard is configured'
      : `Quota:       ${countOf(quota.questions, 'question')} to the archive, ${quota.leftToday.toLocaleString('en-US')} left today${short}`,
    `Time:        about ${toDuration(time.likelyMs)} with ${countOf(time.slots, 'slot')}, the longest chain ${countOf(time.longestChain, 'task')}`,
    ...basis.map((line, i) => (i === 0 ? 'Basis:' : '').padEnd(13) + line),
  ].join('\n');
}

function toDuration(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
