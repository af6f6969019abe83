import { Page } from './costs/page.js';
import { fetchJson, sendChange } from './fetch-json.js';
import { html, render } from './html.js';
import { createListPage } from './list-page.js';
import { keepLive } from './live-page.js';

/** The address holds all that the report depends on, so that a link shows the same. */
const asked = new URLSearchParams([...new URLSearchParams(location.search)].filter(([, value]) => value !== ''));

/**
 * What the page shows. `report`: null until it is read, undefined if it was refused; `ticked`: ids of uncertain calls; `why`: how the
 * person knows what they cost; `question`: the verdict that is to be confirmed, with its calls; `busy`: whether it is under way;
 * `result`: what became of the last one.
 */
const page = createListPage({
  name: 'report',
  path: `/api/costs?${asked}`,
  idsOf: (report) => report.uncertain.calls.map(({ id }) => id),
  first: { why: '', question: null, busy: false },
  draw: (view) => render(html`<${Page} ...${view} asked=${asked} on=${handlers} />`, document.querySelector('#main')),
});

const handlers = {
  ...page.ticks,
  why: (why) => page.show({ why }),
  ask: (verdict, calls) => page.show({ question: { verdict, calls }, result: null }),
  close: () => page.show({ question: null }),
  async confirm({ verdict, calls }) {
    if (page.view.busy) return;
    page.show({ question: null, busy: true });
    const change = { calls: calls.map(({ id }) => id), verdict, why: page.view.why };
    const { answer, problem } = await sendChange('/api/costs/settle', change);
    const done = problem === undefined ? { ticked: new Set(), why: '' } : {};
    page.show({ ...done, busy: false, result: { answer, problem } });
    await page.load(fetchJson);
  },
};

page.show({});
await keepLive({
  load: page.load,
  of: ['money'],
  isFree: () => !page.view.busy && page.view.question === null,
});
