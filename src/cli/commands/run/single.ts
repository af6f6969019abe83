import { findWorkerIdProblem } from '../../../../queues/ids.ts';
import { AccountRefusedError, BudgetReachedError, CancelledError, FleetError, UsageError } from '../../../errors.ts';
import type { Finding } from '../../../findings/finding.ts';
import { hideOwnEnvironment } from '../../../config/own-environment.ts';
import { formatUsd, toNanoUsd } from '../../../pricing/money.ts';
import { allSonnetNanoUsd, toSavedPercent } from '../../../pricing/cost.ts';
import { toModelName } from '../../../pricing/model-class.ts';
import { toPromptTokens } from '../../../pricing/tokens.ts';
import { catalogOf } from '../../../pricing/catalog.ts';
import { EXIT } from '../../output/report-failure.ts';
import { renderResult } from '../../output/finding/result.ts';
import { describeShortfalls, printJson } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { assertMeant } from '../../input/meant-words.ts';
import { toTaskInput, type TaskCommandOptions } from './task-input.ts';
import type { Config } from '../../../config/environment.ts';
import { formatCost } from '../../../pricing/free-local.ts';

export interface SingleCommandOptions extends TaskCommandOptions {
  task?: string;
  workerId?: string;
}

/** Does `fleet single`. */
export async function runSingleCommand({ task, ...options }: SingleCommandOptions): Promise<void> {
  if (task === undefined || task.trim() === '') throw new FleetError('--task required for single mode'); // exit 1: SPEC
  const problem = options.workerId === undefined ? null : findWorkerIdProblem(options.workerId);
  if (problem !== null) throw new UsageError(`--worker-id: ${problem}`);
  const input = toTaskInput(task, options);
  await assertMeant(task, {
    command: 'single',
    as: 'a task',
    effect: 'doing it is paid',
    instead: ['fleet status', 'fleet findings ID'],
  });
  // Loaded here: the provider's library and the tools would slow down every other command.
  const { runSingle } = await import('../../../haiku/run-single.ts');
  const { createModel } = await import('../../../models/create/model.ts');
  hideOwnEnvironment(); // from the programs that the task may start
  await withFleet(async (fleet) => {
    const { model, close } = await createModel(fleet.inner.config);
    const stop = endOnSignal();
    try {
      const finding = await runSingle(fleet, input, {
        model,
        signal: stop.signal,
        onWait: (ms, why) => console.error(`Waiting ${Math.ceil(ms / 1_000)} s: ${why}`),
        ...(options.workerId === undefined ? {} : { workerId: options.workerId }),
      });
      if (options.json) printJson(finding);
      else console.log(renderSingle(finding, fleet.inner.config));
    } catch (error) {
      if (isHalt(error)) {
        process.exitCode = EXIT.halted;
        return console.error(`Error: ${error.message}\nThe fleet is halted: fleet status shows the ways out`);
      }
      if (error instanceof BudgetReachedError && error.scope === 'task') {
        // The task is not parked: nothing could run it again with a higher budget.
        throw new FleetError(
          `the next call could pass --budget ${formatUsd(error.limitNanoUsd, 6)}; begin again with more`,
        );
      }
      throw error;
    } finally {
      stop.clear();
      await close();
    }
  });
}

/** Finding, cost and the command that shows it, one line each, then the whole answer. */
function renderSingle(finding: Finding, config: Config): string {
  const cost = toNanoUsd(finding.cost);
  const lead = catalogOf(config).findPrices(config.FLEET_COORDINATOR_MODEL, new Date());
  const compared = allSonnetNanoUsd(lead, finding.usage);
  const tokens = `${toPromptTokens(finding.usage)} input, ${finding.usage.output} output`;
  return [
    `✅ Finding written: finding:${finding.finding_id}`,
    ...describeShortfalls(finding).map((line) => `   ${line}`),
    `   Cost: ${formatCost(cost, 6, finding.free_local === true)} (${tokens}) — ${toModelName(lead)}: ${formatUsd(compared, 6)}, saved ${toSavedPercent(cost, compared).toFixed(1)} %`,
    `   Coordinator: fleet findings ${finding.finding_id}`,
    '',
    renderResult(finding.result),
  ].join('\n');
}

/** Whether the error halted the fleet, as it does in a worker. */
function isHalt(error: unknown): error is FleetError {
  return error instanceof AccountRefusedError || (error instanceof BudgetReachedError && error.scope === 'day');
}

/** Ctrl-C ends the task, not the process: a running call must be booked first. */
function endOnSignal(): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.failed); // pressed twice
    controller.abort(
      new CancelledError('cancelled; a call that was under way is booked at its worst case, as uncertain'),
    );
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    clear: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
