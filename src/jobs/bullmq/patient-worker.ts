import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, type Job } from 'bullmq';
import { isTemporary } from '../../redis/connection/refusals.ts';
import { isDamage } from '../../swarm/damage/damaged-keys.ts';
import { isNotHeld } from '../not-held.ts';

const ASK_AGAIN_MS = 1_000;
/** What BullMQ takes for "there is no next job"; its types do not tell of it. */
const NO_NEXT_JOB: unknown = undefined;

/**
 * A BullMQ worker that waits while Redis refuses to store (full, disk, failover). BullMQ's own asks again at once, some
 * thousand times a second, and would take a refused completion for a failure of the job. It also continues after a job that BullMQ
 * cannot read, and after the end of a job that it no longer holds. It keeps failed jobs, and runs none again.
 */
export class PatientWorker extends Worker {
  /** Called when BullMQ cannot read the next job, of which it tells nothing but an error. @returns whether it can be read now */
  onUnreadable: () => Promise<boolean> = () => Promise.resolve(false);

  /**
   * Called when Redis refuses to end a job because of what its hash holds: BullMQ's script breaks off half-way, and the job is in no
   * list. @returns whether it can be ended now; false: it has ended
   */
  onUnendable: (job: Job, token: string) => Promise<boolean> = () => Promise.resolve(false);

  protected override moveToActive(...args: Parameters<Worker['moveToActive']>): ReturnType<Worker['moveToActive']> {
    return this.#patiently(() => super.moveToActive(...args));
  }

  protected override handleCompleted(
    ...args: Parameters<Worker['handleCompleted']>
  ): ReturnType<Worker['handleCompleted']> {
    return this.#patiently(() => super.handleCompleted(...args), args);
  }

  protected override handleFailed(...args: Parameters<Worker['handleFailed']>): ReturnType<Worker['handleFailed']> {
    // Another program may have allowed the job more: here it fails once, and stays with its reason.
    const { opts } = args[1];
    delete opts.removeOnFail;
    opts.attempts = 1;
    return this.#patiently(() => super.handleFailed(...args), args);
  }

  /**
   * BullMQ waits for its blocking connection's `end`, which ioredis never emits for one that is closed while it waits to
   * reconnect: closing while Redis is away would hang for ever, also after Redis is back.
   */
  override async close(force?: boolean): Promise<void> {
    if (force !== true && this.closing === undefined) await this.backend.reconnectBlocking();
    return super.close(force);
  }

  /** Puts the jobs without a lock back to waiting at once, as BullMQ does at intervals. */
  async takeBackStalled(): Promise<void> {
    for (const jobId of await this.backend.moveStalledJobsToWait()) this.emit('stalled', jobId, 'active');
  }

  /** @param ends of a command that ends a job, what it was given: result or error, the job, and its token */
  async #patiently<T>(ask: () => Promise<T>, ends?: readonly [unknown, Job, string, ...unknown[]]): Promise<T> {
    let isMended = false;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        // A job has ended already if the answer to its end was lost: the client has sent its end twice. Else another worker has the job.
        if (ends !== undefined && isNotHeld(error)) return NO_NEXT_JOB as T;
        if (ends !== undefined && !isMended && isDamage(error)) {
          await this.onUnreadable(); // of the next job, which the same script takes
          const [, job, token] = ends;
          if (!(await this.onUnendable(job, token))) return NO_NEXT_JOB as T;
          isMended = true;
          continue;
        }
        const mayBeUnreadable = error instanceof SyntaxError || error instanceof TypeError || isDamage(error);
        if (mayBeUnreadable && (await this.onUnreadable())) return NO_NEXT_JOB as T;
        if (!isTemporary(error) || this.closing !== undefined) throw error;
        this.emit('error', error instanceof Error ? error : new Error(String(error)));
        await sleep(ASK_AGAIN_MS);
        isMended = false;
      }
    }
  }
}
