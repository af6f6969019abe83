import type { Command } from 'commander';
import { AUDIT_SHOWN, jsonOption, toCount } from '../input/options.ts';
import type { AuditCommandOptions } from './run/audit.ts';

export function registerAudit(program: Command): void {
  program
    .command('audit')
    .description('what people and clients have changed, the newest first: who, from where, before and after')
    .option('--since <time>', 'only since then: 90m, 12h, 7d ago, a date or an ISO instant')
    .option('--what <verbs>', 'only these: halt,budget,retry')
    .option('--who <name>', 'only this person, login or client')
    .option('--limit <n>', `how many (default: ${AUDIT_SHOWN})`, toCount(1, 10_000))
    .option('--cursor <word>', 'go on where a list ended, with the same filters')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExamples:\n  fleet audit --since 1d\n  fleet audit --what halt,resume,budget --who anna\n  fleet audit --limit 1000 --json',
    )
    .action(async (options: AuditCommandOptions) => (await import('./run/audit.ts')).runAuditCommand(options));
}
