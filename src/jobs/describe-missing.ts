import { queueRegistry } from '../../queues/registry.ts';
import { formatCount } from '../text/plural.ts';

const DAY_SECONDS = 86_400;

/** The message about a job that is not there, with how long ended jobs stay. @param queue name of its queue */
export function describeMissing(queue: string, jobId: string): string {
  const definition = Object.values(queueRegistry).find(({ name }) => name === queue);
  const kept = definition === undefined ? '' : describeKept(definition.keep);
  return `job ${jobId}: no such job in queue ${queue}${kept}`;
}

function describeKept({ completed, failed }: (typeof queueRegistry)[keyof typeof queueRegistry]['keep']): string {
  const [done, broken] = [completed, failed].map(
    ({ age, count }) =>
      `${age === DAY_SECONDS ? '1 day' : `${age / DAY_SECONDS} days`} (at most ${formatCount(count)})`,
  );
  return `; a failed job is kept for ${broken ?? ''}, a completed one for ${done ?? ''}`;
}
