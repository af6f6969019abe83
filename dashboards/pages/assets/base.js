const { content: base } = document.querySelector('meta[name="fleet-base"]');

/** The address of a path of the dashboard, which a proxy may show below a path of its own. */
export function toAddress(path) {
  return `${base}${path}`;
}
