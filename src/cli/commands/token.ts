import { Option, type Command } from 'commander';
import { jsonOption, toUsd } from '../input/options.ts';
import type { TokenAddOptions } from './run/token.ts';

export function registerToken(program: Command): void {
  const token = program
    .command('token')
    .description('clients that work with the fleet by a token: their roles, budgets and what they spent')
    .addHelpText(
      'after',
      '\nExample:\n  fleet token add laptop --role delegate --budget 5 --expires 7d\n  fleet costs --by client',
    );
  token
    .command('add')
    .description('add a client and print its token, once; only a hash of it is stored')
    .argument('<name>', 'at most 40 letters, digits, dots, dashes and underscores')
    .addOption(
      new Option(
        '--role <role>',
        'read (changes nothing), delegate (adds work and waits for it) or operate (all that you can)',
      ).makeOptionMandatory(),
    )
    .option('--budget <usd>', 'all that its work may cost; reaching it parks its jobs; needed to spend anything', toUsd)
    .option('--expires <time>', 'the token is refused after it: 12h, 7d, 4w; default: never')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet token add laptop --role delegate --budget 5 --expires 7d')
    .action(async (name: string, options: TokenAddOptions) =>
      (await import('./run/token.ts')).runTokenAddCommand(name, options),
    );
  token
    .command('ls')
    .description('the clients there are')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet token ls')
    .action(async (options: { json?: boolean }) => (await import('./run/token.ts')).runTokenListCommand(options));
  token
    .command('rm')
    .description('end a client’s token at once; its work goes on within its budget, and its costs stay')
    .argument('<name>')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet token rm laptop')
    .action(async (name: string, options: { json?: boolean }) =>
      (await import('./run/token.ts')).runTokenRemoveCommand(name, options),
    );
}
