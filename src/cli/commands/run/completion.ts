import type { Command } from 'commander';
import { renderBashCompletion } from '../../completion/bash.ts';
import { readCommandTree, type CommandNode } from '../../completion/command-tree.ts';
import { renderFishCompletion } from '../../completion/fish.ts';
import { renderZshCompletion } from '../../completion/zsh.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

const RENDERERS: Record<Shell, (nodes: readonly CommandNode[]) => string> = {
  bash: renderBashCompletion,
  zsh: renderZshCompletion,
  fish: renderFishCompletion,
};

/** Does `fleet completion`. @param program the tree of commands that is completed */
export function runCompletionCommand(program: Command, shell: Shell): void {
  process.stdout.write(RENDERERS[shell](readCommandTree(program)));
}
