import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';

export function registerModels(program: Command): void {
  const models = program
    .command('models')
    .description('the models that the fleet knows, with their prices, and those of models.json')
    .addHelpText(
      'after',
      '\nExamples:\n  fleet models\n  fleet models show gpt-6-luna\n  fleet models test gpt-6-luna',
    );
  models
    .command('ls', { isDefault: true })
    .description('all models that can be called, with prices in dollars a million tokens, and the routes')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet models ls')
    .action(async (options: { json?: boolean }) => (await import('./run/models.ts')).runModelsListCommand(options));
  models
    .command('show')
    .description('what is known of one model, and what this machine lacks to call it')
    .argument('<id>')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet models show gpt-6-luna')
    .action(async (id: string, options: { json?: boolean }) =>
      (await import('./run/models.ts')).runModelsShowCommand(id, options),
    );
  models
    .command('test')
    .description('a real round trip: three small calls, one of them with a tool. They are booked')
    .argument('<id>')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet models test gpt-6-luna')
    .action(async (id: string, options: { json?: boolean }) =>
      (await import('./run/models-test.ts')).runModelsTestCommand(id, options),
    );
}
