import type { Command } from 'commander';
import { jsonOption, toTokens, toUsd } from '../input/options.ts';
import type { ReportCommandOptions } from './run/report.ts';

export function registerReport(program: Command): void {
  program
    .command('report')
    .description('for outside workers: store what a claimed task found, and end it')
    .argument('<task>', 'id of the claimed task')
    .requiredOption('--lease <token>', 'as the claim printed it')
    .requiredOption('--result <file>', 'text or JSON; - reads the standard input')
    .option('--files <path...>', 'files that it changed, relative to the workspace')
    .option('--citations <id...>', 'findings that the result relies on')
    .option('--tokens <in,out>', 'tokens that it used; shown as unmetered', toTokens)
    .option('--cost <usd>', 'what it cost; shown as unmetered', toUsd)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  fleet report task-1a2b --lease "$LEASE" --result answer.json --tokens 1200,300',
    )
    .action(async (task: string, options: ReportCommandOptions) =>
      (await import('./run/report.ts')).runReportCommand(task, options),
    );
}
