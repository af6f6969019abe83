import { fetchJson, sendChange } from './fetch-json.js';
import { html, render } from './html.js';
import { keepLive } from './live-page.js';
import { Page } from './rules/page.js';

/**
 * What the page shows. `asked`: the `action` on a `rule` that is to be confirmed, with the `body` to send; `busy`: the rule that a change is under way for; `result`:
 * what became of the last change, with the name of its rule.
 */
let view = { rules: null, asked: null, busy: null, result: null };

function show(part) {
  view = { ...view, ...part };
  if (view.rules !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

const handlers = {
  pause: (rule) => change(rule, 'pause', {}),
  /** Asks before an action that destroys, or that starts paid work. */
  ask: (rule, action, body = {}) => show({ asked: { rule, action, body }, result: null }),
  cancel: () => show({ asked: null }),
  confirm: ({ rule, action, body }) => change(rule, action, body),
};

async function change({ name }, action, body) {
  if (view.busy !== null) return;
  show({ asked: null, busy: name, result: null });
  const { answer, problem } = await sendChange(`/api/rules/${encodeURIComponent(name)}/${action}`, body);
  show({ busy: null, result: { name, action, answer, problem } });
  await load(fetchJson);
}

async function load(read) {
  const answer = await read('/api/rules');
  if (answer !== null) show({ rules: answer.rules });
}

await keepLive({ load, of: ['work', 'money', 'findings'], isFree: () => view.busy === null && view.asked === null });
