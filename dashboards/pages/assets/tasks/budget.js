import { sendChange } from '../fetch-json.js';
import { count, usd } from '../format.js';

/**
 * What the page of a task does to give it another budget: it is asked about first, with the jobs that this would release.
 * @param page `view()` has the `page` with its `budget`, and `busy`; `show(part)` shows `asked`, `busy` and `result`; `reload()` reads the page again
 */
export function createTaskBudget({ id, view, show, reload }) {
  const scope = { task: id };
  const isBusy = () => view().busy !== null;

  async function send(body) {
    show({ asked: null, result: null, busy: 'budget' });
    const { answer, problem } = await sendChange('/api/fleet/budget', { ...body, scope });
    show({ busy: null, ...(problem !== undefined && { result: { action: 'budget', problem } }) });
    return answer ?? null;
  }

  return {
    async askBudget() {
      if (isBusy()) return;
      const { limit, settled, reserved, uncertain } = view().page.budget;
      const answer = await send({ limitUsd: toDollars(limit ?? 0), dryRun: true });
      if (answer === null) return;
      const usedNanoUsd = settled + reserved + uncertain;
      const title = 'Budget of this task';
      show({ asked: { change: 'budget', title, scope, limitNanoUsd: limit, usedNanoUsd, released: answer.released } });
    },
    async setBudget(limitUsd) {
      if (isBusy()) return;
      const answer = await send({ limitUsd });
      if (answer !== null) show({ result: { action: 'budget', said: describe(answer) } });
      await reload();
    },
    closeFleet: () => show({ asked: null }),
  };
}

function describe({ limitNanoUsd, released, haltedForBudget }) {
  const jobs =
    released === 0
      ? ''
      : ` ${count(released)} parked ${released === 1 ? 'job waits' : 'jobs wait'} for a worker again.`;
  return `The budget is ${usd(limitNanoUsd)}.${jobs}${haltedForBudget ? ' The fleet is halted: lift the halt on the overview.' : ''}`;
}

function toDollars(nano) {
  return (nano / 1e9).toFixed(9);
}
