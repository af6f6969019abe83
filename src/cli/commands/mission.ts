import type { Command } from 'commander';
import { jsonOption, toCount } from '../input/options.ts';
import type { MissionCommandOptions } from './run/mission.ts';

const MOST_TASKS = 5_000;

export function registerMission(program: Command): void {
  program
    .command('mission')
    .description('give the coordinator a goal: it plans, delegates, waits and answers; or show missions')
    .argument('<goal>', 'in plain words; `ls` lists missions, the id of one shows it')
    .option('--wait', 'until it is done: exit 0 done, 1 failed, asks or parked, 3 halted')
    .option('--budget <usd>', 'of the whole mission: plan, tasks, questions, synthesis; reaching it parks them')
    .option(
      '--session <name>',
      'what it is booked to (default: the session in force); with ls: only those of this session',
    )
    .option('--workspace <name>', 'its tasks work in this workspace')
    .option('--no-isolate', 'its tasks write in the shared tree of the workspace, not in trees of their own')
    .option('--topic <topic...>', 'topics of its findings')
    .option('--quorum <share>', 'share of the tasks that must be done, 0..1 (default: 0.8)')
    .option('--max-tasks <n>', 'most tasks of the plan', toCount(1, MOST_TASKS))
    .option('--mission-id <id>', 'the mission’s id; one that exists is reported, never added twice')
    .option('--dry-run', 'make the plan (its calls are paid) and add no task of it')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet mission "Find out which pages miss a description" --workspace site --budget 2 --wait\n  fleet mission ls\n  fleet mission mission-8f3a2c1d9e4b',
    )
    .action(async (goal: string, options: MissionCommandOptions) =>
      (await import('./run/mission.ts')).runMissionCommand(goal, options),
    );
}
