import { Command, CommanderError } from 'commander';
import { readVersion } from '../config/package-folder.ts';
import { registerApply } from './commands/apply.ts';
import { registerAsk } from './commands/ask.ts';
import { registerAudit } from './commands/audit.ts';
import { registerBatches } from './commands/batches.ts';
import { registerBridge } from './commands/bridge.ts';
import { registerBudget } from './commands/budget.ts';
import { registerCancel } from './commands/cancel.ts';
import { registerClaim } from './commands/claim.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerContext } from './commands/context.ts';
import { registerCosts } from './commands/costs.ts';
import { registerBench } from './commands/bench.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDiff } from './commands/diff.ts';
import { registerDiscard } from './commands/discard.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerFail } from './commands/fail.ts';
import { registerDown } from './commands/down.ts';
import { registerFailed } from './commands/failed.ts';
import { registerFindings } from './commands/findings.ts';
import { registerHalt } from './commands/halt.ts';
import { registerJobs } from './commands/jobs.ts';
import { registerMcp } from './commands/mcp.ts';
import { registerMission } from './commands/mission.ts';
import { registerModels } from './commands/models.ts';
import { registerMonitor } from './commands/monitor.ts';
import { registerPaper } from './commands/paper.ts';
import { registerPark } from './commands/park.ts';
import { registerPrompt } from './commands/prompt.ts';
import { registerReport } from './commands/report.ts';
import { registerRenew } from './commands/renew.ts';
import { registerRelease } from './commands/release.ts';
import { registerReload } from './commands/reload.ts';
import { registerRoute } from './commands/route.ts';
import { registerResume } from './commands/resume.ts';
import { registerRetry } from './commands/retry.ts';
import { registerSessions } from './commands/sessions.ts';
import { registerSession } from './commands/session.ts';
import { registerJob } from './commands/job.ts';
import { registerLimits } from './commands/limits.ts';
import { registerSingle } from './commands/single.ts';
import { registerStatus } from './commands/status.ts';
import { registerTask } from './commands/task.ts';
import { registerToken } from './commands/token.ts';
import { registerUndo } from './commands/undo.ts';
import { registerUp } from './commands/up.ts';
import { registerWhen } from './commands/when.ts';
import { registerWorker } from './commands/worker.ts';
import { registerWorktrees } from './commands/worktrees.ts';
import { keepConsoleSafe } from './safe-console.ts';

/**
 * One entry a command, in the order of the help text. A command has two files:
 * - `commands/<name>.ts` registers its name, options and help text. Every command line loads all of these, so they import
 *   only commander, `input/options.ts` and constants.
 * - `commands/run/<name>.ts` does the work. Only the action of the command imports it.
 */
const registrations: ((program: Command) => void)[] = [
  registerDemo,
  registerBench,
  registerUp,
  registerDown,
  registerReload,
  registerDoctor,
  registerTask,
  registerSingle,
  registerRoute,
  registerAsk,
  registerMission,
  registerPaper,
  registerWhen,
  registerStatus,
  registerJobs,
  registerBatches,
  registerSessions,
  registerCosts,
  registerFindings,
  registerDiff,
  registerApply,
  registerDiscard,
  registerUndo,
  registerWorktrees,
  registerJob,
  registerMonitor,
  registerAudit,
  registerFailed,
  registerRetry,
  registerCancel,
  registerHalt,
  registerResume,
  registerPark,
  registerBudget,
  registerSession,
  registerLimits,
  registerModels,
  registerContext,
  registerToken,
  registerBridge,
  registerClaim,
  registerRenew,
  registerReport,
  registerRelease,
  registerFail,
  registerWorker,
  registerPrompt,
  registerMcp,
  registerCompletion,
];

/** Returns the tree of commands. Its `parseAsync` throws the errors of a command. */
export function buildProgram(): Command {
  const program = new Command('fleet')
    .description('A worker fleet for LLM work: queues, workers, budgets, findings.')
    .version(readVersion())
    .showHelpAfterError('(fleet <command> --help tells more)')
    .exitOverride();
  for (const register of registrations) register(program);
  return program;
}

/** Runs one command and ends the process: 0 done, 1 failed, 2 wrong use. */
export async function runCommandLine(argv: string[]): Promise<never> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0); // `fleet status | head`: the reader has closed the pipe
    process.stderr.write(`Error: the output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
  keepConsoleSafe();
  try {
    if (argv.some((argument) => argument.includes('\uFFFD'))) {
      (await import('./input/exact-arguments.ts')).requireExactArguments();
    }
    await buildProgram().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2; // commander has printed the error
      if (error.code === 'commander.excessArguments') await sayWhatIsMeant(argv.slice(2));
    } else process.exitCode = (await import('./output/report-failure.ts')).reportFailure(error);
  }
  process.exit();
}

async function sayWhatIsMeant(words: readonly string[]): Promise<void> {
  const line = (await import('./input/meant-words.ts')).describeExcessWords(words);
  if (line !== null) console.error(line);
}
