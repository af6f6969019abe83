import type { Command } from 'commander';

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look at everything the fleet needs, and say how to mend what is not well')
    .option('--live', 'also try each configured key and model with a few small calls, which are booked')
    .option('--json', 'for programs')
    .action(async (options: { live?: boolean; json?: boolean }) =>
      (await import('./run/doctor.ts')).runDoctorCommand(options),
    );
}
