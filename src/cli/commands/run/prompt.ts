import { join } from 'node:path';
import { UsageError } from '../../../errors.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { EXIT } from '../../output/report-failure.ts';
import { toClaudeFiles } from '../../prompts/claude-files.ts';
import { readFleetFacts } from '../../prompts/fleet-facts.ts';
import { placeFile, withMark, type Placed } from '../../prompts/own-file.ts';
import { COORDINATOR_PROMPT, EPHEMERAL_PROMPT, WORKER_PROMPT } from '../../prompts/starter-prompts.ts';

export interface PromptOptions {
  install?: boolean;
  dryRun?: boolean;
}

export type PromptRole = 'coordinator' | 'worker' | 'ephemeral';

const PROMPTS = { coordinator: COORDINATOR_PROMPT, worker: WORKER_PROMPT, ephemeral: EPHEMERAL_PROMPT };
const SAID: Record<Placed, string> = {
  written: 'written',
  updated: 'updated',
  same: 'is as it would be written',
  left: 'is there and yours: left as it is; remove it, and the same command writes the fleet’s',
};

/** Does `fleet prompt`. */
export async function runPromptCommand(role: PromptRole | undefined, options: PromptOptions): Promise<void> {
  if (options.install === true) {
    if (role !== undefined)
      throw new UsageError('prompt --install: expected no role; it writes the files for all of them');
    return install(options.dryRun === true);
  }
  if (options.dryRun === true) throw new UsageError('prompt --dry-run: is for --install');
  if (role === undefined) throw new UsageError('prompt: expected coordinator, worker or ephemeral, or --install');
  console.log(PROMPTS[role]);
}

/** Writes the files for Claude Code into the project of this folder. */
async function install(dryRun: boolean): Promise<void> {
  await withFleet(async (fleet) => {
    let isAnyLeft = false;
    for (const { path, what, text } of toClaudeFiles(await readFleetFacts(fleet))) {
      const place = join('.claude', path);
      const placed = await placeFile(place, text, { dryRun });
      isAnyLeft ||= placed === 'left';
      const would = dryRun && placed !== 'left' ? 'would be ' : '';
      if (dryRun && (placed === 'written' || placed === 'updated')) console.log(`==> ${place}\n${withMark(text)}`);
      console.error(`${place}  ${placed === 'same' ? SAID.same : would + SAID[placed]} (${what})`);
    }
    if (isAnyLeft) process.exitCode = EXIT.failed;
  });
}
