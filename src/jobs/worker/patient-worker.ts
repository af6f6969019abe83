import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';
import { isTemporary } from '../../redis/wait-while-refused.ts';

const ASK_AGAIN_MS = 1_000;

/**
 * A BullMQ worker that waits while Redis refuses to store (full, disk, failover). BullMQ's own asks again at once, some
 * thousand times a second, and would take a refused completion for a failure of the job. It also goes on after a job that BullMQ
 * cannot read.
 */
export class PatientWorker extends Worker {
  /** Called when the next job is no JSON, with which BullMQ tells nothing but a SyntaxError. */
  onUnreadable: () => Promise<void> = () => Promise.resolve();

  protected override moveToActive(...args: Parameters<Worker['moveToActive']>): ReturnType<Worker['moveToActive']> {
    return this.#patiently(() => super.moveToActive(...args));
  }

  protected override handleCompleted(
    ...args: Parameters<Worker['handleCompleted']>
  ): ReturnType<Worker['handleCompleted']> {
    return this.#patiently(() => super.handleCompleted(...args));
  }

  protected override handleFailed(...args: Parameters<Worker['handleFailed']>): ReturnType<Worker['handleFailed']> {
    return this.#patiently(() => super.handleFailed(...args));
  }

  /**
   * BullMQ waits for its blocking connection's `end`, which ioredis never emits for one that is closed while it waits to
   * reconnect: closing while Redis is away would hang for ever, also after Redis is back.
   */
  override async close(force?: boolean): Promise<void> {
    if (force !== true && this.closing === undefined) await this.backend.reconnectBlocking();
    return super.close(force);
  }

  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (error instanceof SyntaxError) {
          await this.onUnreadable();
          return undefined as T; // no next job, which BullMQ's types do not tell of
        }
        if (!isTemporary(error) || this.closing !== undefined) throw error;
        this.emit('error', error instanceof Error ? error : new Error(String(error)));
        await sleep(ASK_AGAIN_MS);
      }
    }
  }
}
