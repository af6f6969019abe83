import { fetchJson } from '../fetch-json.js';
import { SPANS } from './spans.js';

const REFRESH_MS = 15_000;

/** The span that the address names, so that a link shows the same charts. */
export function spanOf() {
  const span = location.hash.slice(1);
  return Object.hasOwn(SPANS, span) ? span : Object.keys(SPANS)[0];
}

/** Reads the charts' series at intervals while the page is visible, and at once for another span. @param show takes `{ span, series }` */
export function followSeries(show) {
  async function load() {
    const span = spanOf();
    const series = await fetchJson(`/api/series?${new URLSearchParams({ span })}`);
    if (series !== null && span === spanOf()) show({ series });
  }

  const loadIfVisible = () => void (document.hidden || load());
  setInterval(loadIfVisible, REFRESH_MS);
  document.addEventListener('visibilitychange', loadIfVisible);
  window.addEventListener('hashchange', () => {
    show({ span: spanOf() });
    void load();
  });
  void load();
}
