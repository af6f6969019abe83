import { fetchJson, sendChange } from '../fetch-json.js';

/**
 * What pages do to retract a finding: it is asked about first, with the number of answers that cite it.
 * @param page `view()` has `busy`, and `why`: what is wrong with it, as typed so far; `show(part)` shows `retract`, `why`, `busy` and
 *   `result`; `reload()` reads the page again
 */
export function createRetraction({ view, show, reload }) {
  return {
    /** @param source `id` and `summary` of the finding */
    async askRetract(source) {
      if (view().busy) return;
      show({ busy: true, result: null });
      const citing = await fetchJson(`/api/archive/citing/${encodeURIComponent(source.id)}`);
      show({ busy: false, ...(citing !== null && { retract: { source, citing } }) });
    },
    why: (why) => show({ why }),
    async confirmRetract({ source, citing }) {
      if (view().busy) return;
      show({ retract: null, busy: true, result: null });
      const { answer, problem } = await sendChange('/api/archive/retract', { id: source.id, why: view().why });
      if (problem === undefined) show({ busy: false, why: '', result: { ...answer, cited: citing.count } });
      else show({ busy: false, result: { problem } });
      await reload();
    },
    closeRetract: () => show({ retract: null }),
  };
}
