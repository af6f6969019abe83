import { fetchJson, sendChange } from './fetch-json.js';
import { html, render } from './html.js';
import { keepLive } from './live-page.js';
import { Page } from './rules/page.js';

/**
 * What the page shows. `asked`: the rule whose removal is to be confirmed; `busy`: the rule that a change is under way for; `result`:
 * what became of the last change, with the name of its rule.
 */
let view = { rules: null, asked: null, busy: null, result: null };

function show(part) {
  view = { ...view, ...part };
  if (view.rules !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

const handlers = {
  pause: (rule) => change(rule, 'pause', {}),
  resume: (rule) => change(rule, 'resume', {}),
  ask: (rule) => show({ asked: rule, result: null }),
  cancel: () => show({ asked: null }),
  remove: (rule) => change(rule, 'remove', {}),
  release: (rule, taskIds) => change(rule, 'release', { taskIds }),
  drop: (rule, taskIds) => change(rule, 'drop', { taskIds }),
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
