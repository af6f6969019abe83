import htm from './lib/htm.mjs';
import { h, render as draw } from './lib/preact.mjs';
import { focusSuccessor } from './kept-focus.js';

export { Component } from './lib/preact.mjs';

/** Templates of elements, without a build step. A value in `${}` becomes text, never markup, also if a model wrote it. */
export const html = htm.bind(h);

/** Draws a page. Where that takes the element that has the focus, as a change takes its own button, the focus goes to what came of it. */
export function render(tree, root) {
  const { activeElement: before } = document;
  const section = before?.closest('section') ?? null;
  draw(tree, root);
  if (before?.isConnected === false && document.activeElement === document.body) focusSuccessor(root, section);
}
