import { sendChange } from '../fetch-json.js';

/**
 * What the pages of jobs do to retry and cancel: each change is asked about first.
 * @param page `isBusy()`; `show(part)` shows `question`, `busy` and `result`; `reload()` reads the page again
 */
export function createChanges({ isBusy, show, reload }) {
  /** Null: it was refused, and the page shows why. */
  async function send(action, body) {
    if (isBusy()) return null;
    show({ question: null, result: null, busy: action });
    const { answer, problem } = await sendChange(`/api/jobs/${action}`, body);
    show({ busy: null, result: problem === undefined ? null : { action, problem } });
    return answer ?? null;
  }

  return {
    /** Finds out what would happen, and asks. @param jobs rows of the list */
    async ask(action, jobs) {
      const answer = await send(action, { ids: jobs.map(({ id }) => id), dryRun: true });
      if (answer !== null) show({ question: { action, jobs, ...answer } });
    },
    close: () => show({ question: null }),
    async confirm({ action, done: ids }) {
      const answer = await send(action, { ids, dryRun: false });
      if (answer !== null) show({ result: { action, ...answer } });
      await reload();
    },
  };
}
