import htm from './lib/htm.mjs';
import { h } from './lib/preact.mjs';

export { Component, render } from './lib/preact.mjs';

/** Templates of elements, without a build step. A value in `${}` becomes text, never markup, also if a model wrote it. */
export const html = htm.bind(h);
