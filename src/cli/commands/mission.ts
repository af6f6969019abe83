import { Option, type Command } from 'commander';
import { TASK_FOR } from '../../../queues/kinds.ts';
import { jsonOption, toCount, toNumbers, timeoutOption } from '../input/options.ts';
import type { MissionCommandOptions } from './run/mission.ts';

const MOST_TASKS = 5_000;

export function registerMission(program: Command): void {
  program
    .command('mission')
    .description('give the coordinator a goal: it plans, delegates, waits and answers; or show missions')
    .argument('<goal>', 'in plain words; `ls` lists missions, the id of one shows it, `run` runs a plan')
    .argument(
      '[mission]',
      'after `run`: the id of the mission whose plan runs, of a dry run or one that waits for approval',
    )
    .option(
      '--wait',
      'until it is done: exit 0 done, 1 failed, cancelled, asks, parked or waits for approval, 3 halted',
    )
    .addOption(timeoutOption())
    .option('--budget <usd>', 'of the whole mission: plan, tasks, questions, synthesis; reaching it parks them')
    .option(
      '--session <name>',
      'what it is booked to (default: the session in force); with ls: only those of this session',
    )
    .option('--workspace <name>', 'its tasks work in this workspace')
    .option('--no-isolate', 'its tasks write in the shared tree of the workspace, not in trees of their own')
    .option('--shard <name>', 'memory shard of the mission, its tasks and its questions')
    .addOption(new Option('--for <who>', 'who may take its tasks (default: fleet)').choices([...TASK_FOR]))
    .option('--topic <topic...>', 'topics of its findings')
    .option('--quorum <share>', 'share of the tasks that must be done, 0..1 (default: 0.8)')
    .option('--max-tasks <n>', 'most tasks of the plan', toCount(1, MOST_TASKS))
    .option('--mission-id <id>', 'the mission’s id; one that exists is reported, never added twice')
    .option(
      '--dry-run',
      'make the plan (its calls are paid) and add no task of it; with run: check and forecast, run nothing',
    )
    .option('--approve', 'wait with the plan until `run` runs it or fleet park sets it aside')
    .option('--drop <numbers...>', 'with run: tasks to leave out, by the numbers that the plan shows: 2,5', toNumbers)
    .option('--edit <file>', 'with run: this plan in place of the one that was made; `-` reads the standard input')
    .option('--plan', 'with an id: print its plan as JSON, for --edit')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet mission "Find out which pages miss a description" --workspace site --budget 2 --wait\n  fleet mission ls\n  fleet mission mission-8f3a2c1d9e4b --plan > plan.json\n  fleet mission run mission-8f3a2c1d9e4b --edit plan.json --wait',
    )
    .action(async (goal: string, mission: string | undefined, options: MissionCommandOptions) =>
      goal === 'run'
        ? (await import('./run/mission-run.ts')).runPlanCommand(mission, options)
        : (await import('./run/mission.ts')).runMissionCommand(goal, mission, options),
    );
}
