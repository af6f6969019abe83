import { drawHead } from './badges.js';
import { showLogout } from './fetch-json.js';
import { follow } from './live.js';

/** The header of Bull Board's page, whose style sheet hides what a halted fleet refuses, and of the page of an unknown address. */
void follow('head', {
  head(head) {
    drawHead(head);
    document.documentElement.dataset.fleet = head.state;
  },
});
await showLogout();
