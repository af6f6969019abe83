import type { Halt } from '../halt/halt-shape.ts';

/** One way out of a halt: what a person does, and the command line that does it. */
export interface HaltChoice {
  what: string;
  command: string;
}

const LIFT: HaltChoice = { what: 'lift the halt once its cause is gone', command: 'fleet resume' };

/** What a person can do about a halt, best first. A halt nobody foresaw still has one way out. */
export function choicesOf(halt: Halt): HaltChoice[] {
  switch (halt.reason) {
    case 'account-refused':
      return [{ what: 'mend the key or the account (.env), then', command: 'fleet reload && fleet resume' }];
    case 'budget':
      return [
        { what: "raise the day's budget, then lift the halt", command: 'fleet budget USD && fleet resume' },
        { what: 'or wait for the next UTC day, then lift it', command: 'fleet resume' },
      ];
    case 'redis-memory':
      return [{ what: "free memory or raise Redis' maxmemory, then", command: 'fleet resume' }];
    case 'shard':
      return [
        { what: 'try the failed step again', command: 'fleet resume MISSION --retry' },
        { what: 'finish without Gemini, from findings read by id', command: 'fleet resume MISSION --skip-gemini' },
        { what: 'set this paper aside with its drafts, let everything else go on', command: 'fleet park MISSION' },
      ];
    default:
      return [LIFT];
  }
}
