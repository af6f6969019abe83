import { html, render } from './html.js';
import { keepLive } from './live-page.js';
import { Page } from './workers/page.js';

async function load(read) {
  const page = await read('/api/workers');
  if (page !== null) render(html`<${Page} ...${page} />`, document.querySelector('#main'));
}

await keepLive({ load, of: ['work'] });
