/** A part that says what became of a change. */
const SAYS = 'div[role="status"]';

/**
 * Focuses what says what became of a change whose button is gone: that of its section, else of the page; else the heading of either. An
 * open dialog keeps the focus.
 * @param section of the button; null: it is not known. It may be gone, too
 */
export function focusSuccessor(root, section) {
  const open = root.querySelector('dialog[open]');
  const all = (selector) =>
    [section, root]
      .filter((place) => place !== null && place.isConnected)
      .flatMap((place) => [...place.querySelectorAll(selector)])
      .filter((element) => element.closest('dialog') === open);
  const says = all(SAYS);
  const next = says.find((element) => element.textContent.trim() !== '') ?? says[0] ?? all('h1, h2')[0];
  if (next === undefined) return;
  next.tabIndex = -1; // Tab does not stop there
  next.focus({ preventScroll: true });
}
