import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { ResumeOptions } from './run/resume.ts';

export function registerResume(program: Command): void {
  program
    .command('resume')
    .description('lift the halt, only what the halt paused goes on; or let one mission go on')
    .argument('[mission]', 'id of a mission that asks, is parked, or stopped the fleet; a halt of another cause stays')
    .option('--retry', 'the step that failed is tried again (also without it)')
    .option('--answer <text>', 'what the mission asks, answered in words; `-` reads the standard input')
    .option('--answer-file <file>', 'the same from a file')
    .option('--skip-gemini', 'finish a paper from findings read by id; its header says so')
    .option('--accept-shards', 'go on with a paper without the shards that failed, where at least 80 % work')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet budget 20 && fleet resume\n  fleet resume mission-8f3a2c1d9e4b --answer "Leave the drafts out"\n  fleet resume mission-8f3a2c1d9e4b --skip-gemini',
    )
    .action(async (mission: string | undefined, options: ResumeOptions) =>
      (await import('./run/resume.ts')).runResumeCommand(mission, options),
    );
}
