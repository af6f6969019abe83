import type { PermitAnswer, PermitRequest } from './types.ts';
import type { ShardProject } from './shard-project.ts';

/** A query that waits for a permit. */
export interface Waiter {
  request: Required<PermitRequest>;
  /** Those it may use. */
  projects: readonly ShardProject[];
  /** Whether it waits wherever it may; false while it was only sent to one that has room. */
  everywhere: boolean;
  /** It has its answer, or nobody waits for one any more. */
  readonly settled: boolean;
  answer(answer: PermitAnswer): void;
  fail(error: unknown): void;
}

export interface WaitingLine {
  join(start: Pick<Waiter, 'request' | 'projects' | 'everywhere'>, signal: AbortSignal): Promise<PermitAnswer>;
  /** The oldest that may use the project, taken out of the line. */
  next(project: ShardProject): Waiter | undefined;
  /** Puts one that got nothing back to its place: the front. */
  putBack(waiter: Waiter): void;
  /** Oldest first. */
  all(): readonly Waiter[];
}

export interface WaitingLineOptions {
  /** A query that got nothing where it was sent first waits everywhere after so long. */
  firstOnlyMs: number;
  /** How long one may wait; then it must be answered. */
  patienceMs: number;
  onSpread: () => void;
  onLate: (waiter: Waiter) => void;
}

/** The queries of this process that wait, oldest first. */
export function createWaitingLine({ firstOnlyMs, patienceMs, onSpread, onLate }: WaitingLineOptions): WaitingLine {
  let line: Waiter[] = [];

  return {
    join(start, signal) {
      return new Promise((resolve, reject) => {
        let settled = false;
        const settle = (act: () => void): void => {
          if (settled) return;
          settled = true;
          clearTimeout(spreading);
          clearTimeout(patience);
          signal.removeEventListener('abort', abort);
          line = line.filter((other) => other !== waiter);
          act();
        };
        const waiter: Waiter = {
          ...start,
          get settled() {
            return settled;
          },
          answer: (answer) => settle(() => resolve(answer)),
          fail: (error) => settle(() => reject(error)),
        };
        const abort = (): void => waiter.fail(signal.reason);
        const spreading = setTimeout(() => {
          waiter.everywhere = true;
          onSpread();
        }, firstOnlyMs);
        const patience = setTimeout(() => onLate(waiter), patienceMs);
        signal.addEventListener('abort', abort, { once: true });
        line.push(waiter);
        if (signal.aborted) abort();
      });
    },
    next(project) {
      const found = line.find(({ projects }) => projects.includes(project));
      line = line.filter((waiter) => waiter !== found);
      return found;
    },
    putBack(waiter) {
      if (!waiter.settled) line.unshift(waiter);
    },
    all: () => line,
  };
}
