import type { Command } from 'commander';
import { jsonOption } from '../input/options.ts';
import type { UndoOptions } from './run/undo.ts';

export function registerUndo(program: Command): void {
  program
    .command('undo')
    .description('take applied patches back, by one commit each; refused where later changes touch the same files')
    .argument('<ids...>', 'finding ids or task ids')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  fleet undo finding_8f3a2c1d9e4b')
    .action(async (ids: string[], options: UndoOptions) =>
      (await import('./run/undo.ts')).runUndoCommand(ids, options),
    );
}
