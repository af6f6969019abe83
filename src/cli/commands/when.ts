import { InvalidArgumentError, Option, type Command } from 'commander';
import { jsonOption, toCount, toUsd } from '../input/options.ts';
import type { PastCommandOptions, WhenOptions } from './run/when-options.ts';

/** How often a rule may fire. A unit test checks that these are those of the rules. */
export const ONCE_PER_CHOICES = ['finding', 'hour', 'day'];

export function registerWhen(program: Command): void {
  const when = program
    .command('when')
    .description('rules: a finding that fits starts a task, also when nobody is up as it comes')
    .argument('<name>', 'of the rule: at most 40 letters, digits, dots, dashes and underscores')
    .option('--topic <topic>', 'findings with this topic')
    .option('--kind <kind>', 'findings of this kind, such as fix, or mission for the answers of missions')
    .option('--session <name>', 'findings of this session')
    .option('--mission <id>', 'findings of this mission')
    .option('--grep <text>', 'findings that hold this text, literally, case ignored')
    .option('--from <worker>', 'findings of this worker; haiku_box_*: of all whose id begins so')
    .option('--swarm <name>', 'findings of this other swarm, which shares them (FLEET_READ_SWARMS), not the own ones')
    .option(
      '--task <text-or-file>',
      'what is to be done: words, with {finding.id}, {finding.summary} …; or a file: the words, or a whole task (.json)',
    )
    .option('--workspace <name>', 'folder that its tasks may work in, a name of FLEET_WORKSPACES')
    .option('--budget <usd>', 'all that its tasks, and what they start, may cost; reaching it parks them', toUsd)
    .option('--max <n>', 'most tasks a day (UTC): 100 or 100/day', toMax)
    .option('--max-depth <n>', 'most rules in a chain; a deeper one is parked (default: 1)', toCount(1, 20))
    .addOption(
      new Option('--once-per <what>', 'a task for each finding, or for the first of each hour or day').choices(
        ONCE_PER_CHOICES,
      ),
    )
    .option('--since <time>', 'begin with the findings since then: 7d, 12h, 2026-11-21T08:00:00Z; default: from now on')
    .option('--replace', 'change a rule of this name; what it has fired for stays')
    .option('--dry-run', 'try it against findings of the past: what it would do; changes nothing')
    .option('--limit <n>', 'with --dry-run: most findings that fit (default: 100)', toCount(1, 10_000))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Its finding is shown to the task as material, and ends in the citations of what the task finds. One pair of rule and finding starts
one task, for ever. Rules run in the coordinator, or in a worker where no coordinator is up.

Examples:
  fleet when mend --topic broken --task "Find the cause of {finding.id}: {finding.summary}" --workspace site --budget 2 --max 100/day
  fleet when mend --topic broken --task "Find the cause of {finding.id}" --since 7d --dry-run
  fleet when ls
  fleet when show mend`,
    )
    .action(async (name: string, options: WhenOptions) =>
      (await import('./run/when.ts')).runWhenCommand(name, options),
    );
  registerLooking(when);
  registerChanging(when);
}

function registerLooking(when: Command): void {
  when
    .command('ls')
    .description('the rules there are, with what they did and cost')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet when ls')
    .action(async (_own: object, command: Command) =>
      (await import('./run/when-show.ts')).runWhenListCommand(command.optsWithGlobals()),
    ); // commander gives --json to the parent command `when`, here and below
  when
    .command('show')
    .description('one rule: what it matches, does, did and cost, and its parked chains')
    .argument('<name>')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet when show mend')
    .action(async (name: string, _own: object, command: Command) =>
      (await import('./run/when-show.ts')).runWhenShowCommand(name, command.optsWithGlobals()),
    );
}

function registerChanging(when: Command): void {
  for (const [verb, description] of [
    ['pause', 'start no more tasks until it is resumed; it misses no finding meanwhile'],
    ['resume', 'go on from the place where it was paused'],
    ['rm', 'end a rule and drop its parked chains; tasks that it started go on'],
  ] as const) {
    when
      .command(verb)
      .description(description)
      .argument('<name>')
      .addOption(jsonOption())
      .addHelpText('after', `\nExample:\n  fleet when ${verb} mend`)
      .action(async (name: string, _own: object, command: Command) =>
        (await import('./run/when-change.ts')).runWhenChangeCommand(verb, name, command.optsWithGlobals()),
      );
  }
  when
    .command('replay')
    .description('let a rule look at findings of the past now, within its limits; a pair that fired fires no more')
    .argument('<name>')
    .option('--since <time>', 'findings since then: 7d, 12h, an instant; default: all')
    .option('--limit <n>', 'most findings that fit, the oldest first (default: 100)', toCount(1, 10_000))
    .option('--dry-run', 'only say what it would do')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet when replay mend --since 7d --dry-run')
    .action(async (name: string, _own: object, command: Command) =>
      (await import('./run/when-past.ts')).runWhenReplayCommand(name, command.optsWithGlobals<PastCommandOptions>()),
    );
  for (const [verb, description] of [
    ['release', 'start the tasks of parked chains, whatever their depth and budget'],
    ['drop', 'forget parked chains: they start nothing'],
  ] as const) {
    when
      .command(verb)
      .description(description)
      .argument('<names...>', 'a rule: all of its parked chains; or ids of tasks that show lists')
      .addOption(jsonOption())
      .addHelpText('after', `\nExample:\n  fleet when ${verb} mend`)
      .action(async (names: string[], _own: object, command: Command) =>
        (await import('./run/when-change.ts')).runWhenChainsCommand(verb, names, command.optsWithGlobals()),
      );
  }
}

/** Parses `100` and `100/day`. */
function toMax(text: string): number {
  const number = /^(\d{1,7})(?:\/day)?$/.exec(text)?.[1];
  if (number !== undefined && Number(number) >= 1) return Number(number);
  throw new InvalidArgumentError('Expected tasks a day, such as 100/day.');
}
