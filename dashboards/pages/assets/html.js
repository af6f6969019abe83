import htm from './lib/htm.mjs';
import { h } from './lib/preact.mjs';

export { render } from './lib/preact.mjs';

/** Templates of elements, without a build step. A value in `${}` is set as text: a model's words never become markup. */
export const html = htm.bind(h);
