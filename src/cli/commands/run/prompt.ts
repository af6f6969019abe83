import { COORDINATOR_PROMPT, WORKER_PROMPT } from '../../output/starter-prompts.ts';

/** Does `fleet prompt`. */
export async function runPromptCommand(role: 'coordinator' | 'worker'): Promise<void> {
  return console.log(role === 'coordinator' ? COORDINATOR_PROMPT : WORKER_PROMPT);
}
