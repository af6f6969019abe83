import type { Command } from 'commander';
import { listContexts, removeContext, saveContext } from '../../haiku/memory-contexts.ts';
import { jsonOption, readTextFile } from '../options.ts';
import { printJson } from '../output/print.ts';
import { renderTable } from '../output/table.ts';
import { withFleet } from '../with-fleet.ts';

export function registerContext(program: Command): void {
  const context = program
    .command('context')
    .description('named documents that tasks can ask for; sent with the task, whole or not at all')
    .addHelpText(
      'after',
      '\nExample:\n  fleet context load session-history NOTES.md\n  fleet task "…" --context session-history',
    );
  context
    .command('load')
    .description('store a document under a name, in place of what was there')
    .argument('<name>')
    .argument('<file>', '- reads the standard input')
    .addHelpText('after', '\nExample:\n  fleet context load session-history NOTES.md')
    .action(async (name: string, file: string) => {
      const text = readTextFile('context', file);
      await withFleet(async ({ inner: { redis, keys } }) => {
        const info = await saveContext(redis, keys, name, text);
        console.log(
          `Context ${info.name}: ${info.bytes.toLocaleString('en-US')} bytes, about ${toTokens(text)} tokens.`,
        );
      });
    });
  context
    .command('ls')
    .description('the documents there are')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  fleet context ls')
    .action(async (options: { json?: boolean }) => {
      await withFleet(async ({ inner: { redis, keys } }) => {
        const found = await listContexts(redis, keys);
        if (options.json) return printJson(found);
        if (found.length === 0) return console.log('No contexts. fleet context load NAME FILE stores one.');
        const rows = found.map(({ name, bytes, loadedAt }) => [name, bytes.toLocaleString('en-US'), loadedAt]);
        console.log(renderTable([['name', 'bytes', 'loaded'], ...rows], [1]));
      });
    });
  context
    .command('rm')
    .description('forget a document; tasks that ask for it fail until it is there again')
    .argument('<name>')
    .addHelpText('after', '\nExample:\n  fleet context rm session-history')
    .action(async (name: string) => {
      await withFleet(async ({ inner: { redis, keys } }) => {
        await removeContext(redis, keys, name);
        console.log(`Context ${name} is gone.`);
      });
    });
}

function toTokens(text: string): string {
  return Math.ceil(text.length / 4).toLocaleString('en-US');
}
