import { drawHead } from './badges.js';
import { fetchJson, fetchWhenThere, showLogout } from './fetch-json.js';
import { follow } from './live.js';

/** What no mark of the header tells, such as ages, leases and clocks, is read again so often. */
const SLOW_MS = 15_000;

/**
 * Fills a page, and reads it again when the fleet has changed: on the beat of the one stream that its header follows, never twice at once.
 * @param load reads with the reader that it gets, and draws; a redraw keeps focus, selection and open dialogs
 * @param of the marks of the header that the page depends on: `work`, `money`, `findings`
 * @param isFree whether it may be read again now: not while a person is asked something. What changed meanwhile is read after that
 */
export async function keepLive({ load, of, isFree = () => true }) {
  let told = '';
  /** What was told when the page was read last. */
  let shown = null;
  let readAt = 0;
  let isReading = true;
  /** Whether the address asks for what breaks a rule: it will be refused each time. */
  let isWrong = false;

  async function read(reader) {
    isReading = true;
    let isMissing = false;
    shown = told;
    try {
      await load(async (path) => {
        const body = await reader(path, () => (isWrong = true));
        isMissing ||= body === null;
        return body;
      });
    } finally {
      isReading = false;
      readAt = performance.now();
      if (isMissing) shown = null; // the next beat tries again
    }
  }

  void follow('head', {
    head(head) {
      drawHead(head);
      told = of.map((mark) => head.marks[mark]).join(' ');
      const isOld = told !== shown || performance.now() - readAt >= SLOW_MS;
      if (isOld && !isReading && !isWrong && !document.hidden && isFree()) void read(fetchJson);
    },
  });
  await Promise.all([read(fetchWhenThere), showLogout()]);
}
