import type { ProcessProblem } from '../../pm2/wait-until-ready.ts';

/** Why a process is not there, in the words of its own error output. */
export function printProblem({ name, exitCode, triedAgain, lines }: ProcessProblem): void {
  const how = exitCode === null ? 'is not ready' : `ended with exit code ${exitCode}`;
  console.error(`❌ ${name} ${how}${triedAgain ? '; pm2 tries again' : ''}`);
  for (const line of lines) console.error(`   ${line}`);
}
