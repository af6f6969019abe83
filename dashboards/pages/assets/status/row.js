import { html } from '../html.js';

/** A row of what needs a person. @param name changes never for the same thing */
export function row(name, what, why, ...buttons) {
  return { key: name, cells: [what, why, html`<div class="actions">${buttons}</div>`] };
}

export const look = (href, label = 'Look') => html`<a key="look" class="plain" href=${href}>${label}</a>`;
