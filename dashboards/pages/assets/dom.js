/** An element. Text is always set as text: what a model wrote never becomes markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** @param columns headings, a leading `#` marks a column of numbers; none: no head */
export function table(columns, rows, className = '') {
  const head = columns.map((name) =>
    h('th', { class: name.startsWith('#') ? 'number' : '', scope: 'col' }, name.replace('#', '')),
  );
  return h('div', { class: 'scroll' }, [
    h(
      'table',
      { class: className },
      columns.length === 0 ? '' : h('thead', {}, h('tr', {}, head)),
      h('tbody', {}, rows),
    ),
  ]);
}

export function card(title, className, ...content) {
  return h('section', { class: className }, h('h2', {}, title), ...content);
}

export function usd(nano, decimals = 4) {
  return `${nano < 0 ? '-' : ''}$${(Math.abs(nano) / 1e9).toFixed(decimals)}`;
}

export function count(number) {
  return new Intl.NumberFormat('en-US').format(number);
}

export function percent(share) {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`;
}

/** Local date and time; the exact instant as a tooltip. */
export function when(instant) {
  const date = new Date(instant);
  if (!instant || Number.isNaN(date.getTime()) || date.getTime() === 0) return h('span', { class: 'soft' }, '–');
  const today = date.toDateString() === new Date().toDateString();
  const text = today ? date.toLocaleTimeString('en-GB') : date.toLocaleString('en-GB');
  return h('time', { datetime: instant, title: instant }, text);
}

export function jobLink(queue, id) {
  return `/queues/queue/${encodeURIComponent(queue)}/${encodeURIComponent(id)}`;
}

export function findingLink(id) {
  return h('a', { class: 'mono', href: `/findings/${encodeURIComponent(id)}` }, id);
}
