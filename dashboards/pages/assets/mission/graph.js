import { Card } from '../elements.js';
import { count, taskPath } from '../format.js';
import { html } from '../html.js';
import { layOut } from './layout.js';

/** Characters of a description that a box has room for, on each of its lines. */
const LINE = 26;

/** The tasks of a plan by what they depend on, from left to right. It scrolls in a box of its own, also by keyboard. */
export function Graph({ plan: { tasks, total }, dropped }) {
  const shown = tasks.map((task) => ({
    ...task,
    state: task.dropped || dropped.has(task.n) ? 'left out' : task.state,
  }));
  const { boxes, edges, undrawn, width, height } = layOut(shown);
  return html`<${Card} title="Graph">
    <div class="graph" tabindex="0" role="region" aria-label="The tasks and what each waits for">
      <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`}>
        ${edges.map(({ key, points }) => html`<path key=${key} class="edge" d=${toCurve(points)} />`)}
        ${boxes.map((box) => html`<${Box} key=${box.task} box=${box} />`)}
      </svg>
    </div>
    ${undrawn > 0 && html`<p class="soft">${`${count(undrawn)} lines are too many to draw; the table says what each task is after.`}</p>`}
    ${total > tasks.length && html`<p class="soft">${`The first ${count(tasks.length)} tasks of ${count(total)}.`}</p>`}
  <//>`;
}

/** Level within a layer, bent between two. */
function toCurve([first, ...rest]) {
  let last = first;
  const parts = rest.map((to, i) => {
    const middle = (last.x + to.x) / 2;
    const part = i % 2 === 0 ? `H${to.x}` : `C${middle} ${last.y} ${middle} ${to.y} ${to.x} ${to.y}`;
    last = to;
    return part;
  });
  return `M${first.x} ${first.y}${parts.join('')}`;
}

function Box({ box: { task, x, y, width, height, cells } }) {
  const isGroup = cells.length > 1;
  return html`<g transform=${`translate(${x} ${y})`}>
    ${isGroup && html`<rect class="group" width=${width} height=${height} rx="8" />`}
    ${isGroup && html`<text class="head" x="10" y="16">${cut(`${task}, ${count(cells.length)} tasks`, 2 * LINE)}</text>`}
    ${cells.map((cell) => html`<${Cell} key=${cell.n} cell=${cell} isWide=${!isGroup} />`)}
  </g>`;
}

/** One task: its number, its state as a word and a colour, and its page once it has a job. */
function Cell({ cell: { n, jobId, state, description, x, y, width, height }, isWide }) {
  const said = `${n}${state === null ? '' : ` ${state}`}`;
  const content = html`
    <title>${`${said}: ${description}`}</title>
    <rect width=${width} height=${height} rx="6" />
    <text x="8" y=${isWide ? 18 : 17}>${said}</text>
    ${isWide && html`<text class="words" x="8" y="36">${cut(description, LINE)}</text>`}
  `;
  const place = { class: `cell ${toClass(state)}`, transform: `translate(${x} ${y})` };
  if (jobId === null) return html`<g ...${place}>${content}</g>`;
  return html`<a ...${place} href=${taskPath(jobId)} aria-label=${`Task ${said}: ${description}`}>${content}</a>`;
}

/** A class of `mission.css`. */
function toClass(state) {
  return state === null ? '' : state.replace(' ', '-');
}

function cut(text, most) {
  const line = text.replace(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
