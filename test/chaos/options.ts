import { parseArgs } from 'node:util';

/** What one run does. */
export interface ChaosOptions {
  tasks: number;
  /** Questions to the archive. */
  questions: number;
  /** Missions of ten tasks each. */
  missions: number;
  /** Haiku processes. */
  workers: number;
  slots: number;
  /** One kill in so many ms. */
  killEveryMs: number;
  /** One of so many answers of Redis is cut, and its connection with it. 0: none. */
  cutOneIn: number;
  seed: number;
  /** Whether the recovery's time is shown and not judged: where other work runs on the machine. */
  untimed: boolean;
}

export const USAGE = `usage: npm run chaos -- [--tasks 10000] [--questions 200] [--missions 10] [--workers 4] [--slots 20]
                       [--kill-every-ms 1000] [--cut-one-in 2000] [--seed N] [--untimed]`;

/** @throws Error that names the wrong argument */
export function readOptions(args: string[]): ChaosOptions {
  const { values } = parseArgs({
    args,
    options: {
      tasks: { type: 'string', default: '10000' },
      questions: { type: 'string', default: '200' },
      missions: { type: 'string', default: '10' },
      workers: { type: 'string', default: '4' },
      slots: { type: 'string', default: '20' },
      'kill-every-ms': { type: 'string', default: '1000' },
      'cut-one-in': { type: 'string', default: '2000' },
      untimed: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    },
  });
  return {
    tasks: toCount('--tasks', values.tasks, 1),
    questions: toCount('--questions', values.questions),
    missions: toCount('--missions', values.missions),
    workers: toCount('--workers', values.workers, 1),
    slots: toCount('--slots', values.slots, 1),
    killEveryMs: toCount('--kill-every-ms', values['kill-every-ms'], 1),
    cutOneIn: toCount('--cut-one-in', values['cut-one-in']),
    seed: toCount('--seed', values.seed),
    untimed: values.untimed,
  };
}

function toCount(name: string, text: string, least = 0): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < least) {
    throw new Error(`${name}: expected a whole number of at least ${least}, got ${JSON.stringify(text)}`);
  }
  return count;
}
