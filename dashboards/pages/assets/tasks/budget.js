import { sendChange } from '../fetch-json.js';
import { count, exactUsd } from '../format.js';

/**
 * What the page of a task does to give it another budget: it is asked about first, with the jobs that this would release.
 * @param page `view()` has the `page` with its `budget`, and `busy`; `show(part)` shows `asked`, `busy` and `result`; `reload()` reads the page again
 */
export function createTaskBudget({ id, view, show, reload }) {
  const scope = { task: id };
  const isBusy = () => view().busy !== null;

  return {
    async askBudget() {
      if (isBusy()) return;
      const { limit, settled, reserved, uncertain } = view().page.budget;
      show({ result: null, busy: 'budget' });
      const body = { limitUsd: toDollars(limit ?? 0), scope, dryRun: true };
      const { answer, problem } = await sendChange('/api/fleet/budget', body);
      show({ busy: null, ...(problem !== undefined && { result: { action: 'budget', problem } }) });
      if (problem !== undefined) return;
      const usedNanoUsd = settled + reserved + uncertain;
      const title = 'Budget of this task';
      show({ asked: { change: 'budget', title, scope, limitNanoUsd: limit, usedNanoUsd, released: answer.released } });
    },
    /** Returns whether it is done; else the question stays, with the rule. */
    async setBudget(limitUsd) {
      if (isBusy()) return false;
      show({ result: null, busy: 'budget' });
      const { answer, problem } = await sendChange('/api/fleet/budget', { limitUsd, scope });
      const { asked } = view(); // null: a person has closed it meanwhile
      if (problem === undefined) show({ busy: null, result: { action: 'budget', said: describe(answer) } });
      else
        show({
          busy: null,
          ...(asked === null ? { result: { action: 'budget', problem } } : { asked: { ...asked, problem } }),
        });
      if (problem === undefined) void reload();
      return problem === undefined;
    },
    closeFleet: () => show({ asked: null }),
  };
}

function describe({ limitNanoUsd, released, haltedForBudget }) {
  const jobs =
    released === 0
      ? ''
      : ` ${count(released)} parked ${released === 1 ? 'job waits' : 'jobs wait'} for a worker again.`;
  return `The budget is ${exactUsd(limitNanoUsd)}.${jobs}${haltedForBudget ? ' The fleet is halted: lift the halt on the overview.' : ''}`;
}

function toDollars(nano) {
  return (nano / 1e9).toFixed(9);
}
