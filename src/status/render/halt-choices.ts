import type { Halt } from '../../halt/types.ts';

/** One way to end a halt: what a person does, and the command line for it. */
export interface HaltChoice {
  what: string;
  command: string;
}

const LIFT: HaltChoice = { what: 'lift the halt once its cause is gone', command: 'fleet resume' };
/** Placeholder where a halt names no mission; another program may have written it. */
const SOME_MISSION = 'MISSION';

/** The ways to end a halt, the best first. A halt with an unknown reason has one, too. */
export function choicesOf(halt: Halt): HaltChoice[] {
  switch (halt.reason) {
    case 'account-refused':
      return [{ what: 'mend the key or the account (.env), then', command: 'fleet reload && fleet resume' }];
    case 'damaged-key':
      return [{ what: 'set the key aside with the command that the detail names, then', command: 'fleet resume' }];
    case 'budget':
      return [
        { what: "raise the day's budget, then lift the halt", command: 'fleet budget USD && fleet resume' },
        { what: 'or settle what of it is uncertain, if anything, then lift it', command: 'fleet costs --uncertain' },
        { what: 'or wait for the next UTC day, then lift it', command: 'fleet resume' },
      ];
    case 'redis-memory':
      return [{ what: "free memory or raise Redis' maxmemory, then", command: 'fleet resume' }];
    case 'error-rate':
      return [
        { what: 'see what failed and how each reason is repaired', command: 'fleet failed' },
        { what: 'lift the halt: the next one needs twenty failures of its own', command: 'fleet resume' },
      ];
    case 'shard':
    case 'malformed':
      return toPaperChoices(halt.mission ?? SOME_MISSION);
    default:
      return halt.mission === undefined ? [LIFT] : toMissionChoices(halt.mission);
  }
}

/** For a paper that the archive cannot answer. */
function toPaperChoices(mission: string): HaltChoice[] {
  return [
    { what: 'try the failed step again', command: `fleet resume ${mission} --retry` },
    { what: 'finish without Gemini, from findings read by id', command: `fleet resume ${mission} --skip-gemini` },
    { what: 'set this paper aside with its drafts, let everything else go on', command: `fleet park ${mission}` },
  ];
}

/** For a mission that halted the fleet. */
function toMissionChoices(mission: string): HaltChoice[] {
  return [
    { what: 'see what failed and how each reason is repaired', command: 'fleet failed' },
    { what: 'let the mission go on', command: `fleet resume ${mission} --retry` },
    { what: 'set the mission aside, let everything else go on', command: `fleet park ${mission}` },
  ];
}
