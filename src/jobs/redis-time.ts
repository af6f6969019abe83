import type { BackendFactory, Job, RedisQueueBackend } from 'bullmq';
import type { RedisClock } from '../redis/clock.ts';

/**
 * Where BullMQ's scripts (6.7) take the time: the place of the argument, behind the script's keys. Delayed jobs are due, ended
 * ones are removed, and jobs are stamped by it.
 */
export const TIME_AT: Readonly<Record<string, number>> = {
  changeDelay: 5,
  cleanJobsInSet: 4,
  moveJobsToWait: 9,
  moveStalledJobsToWait: 11,
  moveToActive: 12,
  moveToDelayed: 12,
  moveToFinished: 15,
  moveToWaitingChildren: 9,
  releaseParentIfNoPendingDependencies: 4,
  retryJob: 12,
};

/** The scripts whose answer is the next job, or none. */
const TAKE_NEXT: ReadonlySet<string> = new Set(['moveToActive', 'moveToDelayed', 'moveToFinished', 'retryJob']);
/** Place in the answer of such a script: when the next delayed job is due, ms; 0: none is delayed. */
const NEXT_DUE = 3;

/**
 * Makes BullMQ go by Redis' clock. BullMQ asks its host's: a worker whose host is two hours ahead would start delayed jobs two hours
 * early, and one behind would delay jobs of its own to the past. To BullMQ every time is still one of its host's clock.
 * @param create BullMQ's own `createRedisBackend`; a process that opens no queue does not load BullMQ
 */
export function keepRedisTime(
  create: BackendFactory<RedisQueueBackend>,
  clock: RedisClock,
): BackendFactory<RedisQueueBackend> {
  /** How far the host is ahead at this moment; its clock may have been set since Redis answered last. */
  const aheadMs = (): number => Date.now() - clock.now();
  const toRedis = (hostMs: unknown): number => Math.round(Number(hostMs)) - aheadMs();
  const toHost = (redisMs: number): number => (redisMs > 0 ? redisMs + aheadMs() : redisMs);

  /** A script that could not move the job answers a number. */
  function inHostTime(answer: unknown): unknown {
    if (Array.isArray(answer) && answer.length === NEXT_DUE + 1) answer[NEXT_DUE] = toHost(Number(answer[NEXT_DUE]));
    return answer;
  }

  return (...options) => {
    const backend = create(...options);
    const { execCommand, waitForJob, addJobToTransaction } = backend;
    return Object.assign(backend, {
      execCommand(...[client, name, args]: Parameters<RedisQueueBackend['execCommand']>): unknown {
        const at = TIME_AT[name];
        if (at === undefined) return execCommand.call(backend, client, name, args);
        args[at] = toRedis(args[at]); // BullMQ makes them for this command alone
        const answer: unknown = execCommand.call(backend, client, name, args);
        return answer instanceof Promise && TAKE_NEXT.has(name) ? answer.then(inHostTime) : answer;
      },
      async waitForJob(blockTimeout: number) {
        const marker = await waitForJob.call(backend, blockTimeout);
        return marker === null ? null : { ...marker, score: toHost(marker.score) };
      },
      addJobToTransaction(
        ...[client, job, ...more]: Parameters<RedisQueueBackend['addJobToTransaction']>
      ): ReturnType<RedisQueueBackend['addJobToTransaction']> {
        job.timestamp = toRedis(job.timestamp); // of the job's JSON, which BullMQ makes for this command alone
        return addJobToTransaction.call(backend, client, job, ...more);
      },
    });
  };
}

/** Delays a job that this process runs. BullMQ takes an instant of the host's clock, and keeps the time until then. */
export async function delayJob(job: Job, token: string, ms: number): Promise<void> {
  await job.moveToDelayed(Date.now() + ms, token);
}
