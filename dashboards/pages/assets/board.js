import { drawHead } from './badges.js';
import { showLogout } from './fetch-json.js';
import { follow } from './live.js';

/** The header of Bull Board's page. Its style sheet hides what a halted fleet refuses. */
void follow('head', {
  head(head) {
    drawHead(head);
    document.documentElement.dataset.fleet = head.state;
  },
});
await showLogout();
