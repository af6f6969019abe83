import { count } from '../format.js';
import { html } from '../html.js';

/** Files that are open at first have so many lines together. */
const OPEN_LINES = 1_500;
const KINDS = { '+': 'added', '-': 'removed', '@': 'hunk', '\\': 'hunk', ' ': '' };

/** What a patch changes, file by file. Names and contents become text, never markup. */
export function Diff({ patch, diff }) {
  const { files, filesCount, isKept } = diff;
  let lines = 0;
  return html`<section class="wide diff">
    <h2>Changes</h2>
    ${filesCount === 0 && html`<p class="empty">It changes nothing.</p>`}
    ${!isKept && filesCount > 0 && html`<${Lost} ...${patch} />`}
    ${files.map((file) => {
      lines += file.lines.length;
      return html`<${File}
        key=${file.path}
        id=${patch.id}
        file=${file}
        isOpen=${lines <= OPEN_LINES}
        isKept=${isKept}
      />`;
    })}
    ${
      filesCount > files.length &&
      html`<p>${count(filesCount - files.length)} more files: <code>fleet diff ${patch.id}</code></p>`
    }
  </section>`;
}

function Lost({ base, head }) {
  return html`<p class="soft">
    The text of this patch is not kept. Git may still have it: ${' '}<code
      >git diff ${base.slice(0, 12)} ${head.slice(0, 12)}</code
    >
  </p>`;
}

function File({ id, file, isOpen, isKept }) {
  const { path, added, removed, notes, isBinary, lines, isCut } = file;
  return html`<details open=${isOpen && lines.length > 0}>
    <summary>
      <span class="mono path">${path}</span>
      <span class="numbers">
        ${notes.map((note) => html`<span key=${note} class="badge">${note}</span>`)}
        ${isBinary ? html`<span class="badge">binary</span>` : html`<b class="good">+${count(added)}</b> <b class="bad">−${count(removed)}</b>`}
      </span>
    </summary>
    ${lines.length > 0 && html`<${Lines} path=${path} lines=${lines} />`}
    ${isBinary && html`<p class="soft">A binary file: its content is not shown.</p>`}
    ${
      isKept &&
      isCut &&
      !isBinary &&
      html`<p class="soft">
        ${lines.length > 0 ? `The first ${count(lines.length)} lines.` : 'Not shown here.'} All of it:
        <code>fleet diff ${id}</code>
      </p>`
    }
  </details>`;
}

/** The lines scroll in a box of their own, also by keyboard. */
function Lines({ path, lines }) {
  return html`<div class="code" tabindex="0" role="region" aria-label=${`Changes of ${path}`}>
    <table>
      <tbody>
        ${lines.map(
          ({ sign, old, new: next, text }, i) =>
            html`<tr key=${i} class=${KINDS[sign]}>
              <td class="line">${old}</td>
              <td class="line">${next}</td>
              <td class="sign">${sign === '@' || sign === '\\' ? '' : sign}</td>
              <td class="text">${text}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
