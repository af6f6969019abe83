import { toAddress } from './base.js';
import { fetchJson } from './fetch-json.js';

/** Without a stream the page asks so often. */
const POLL_MS = 2_000;
/** The server sends every two seconds: a stream that is silent for so long is dead, or a proxy holds it back. */
const SILENCE_MS = 15_000;
/** Questions after a stream that brought nothing, before the next one is tried. */
const POLLS_WITHOUT_STREAM = 15;

/** What each stream is called where a page asks for it instead. */
const PATHS = { head: '/api/head', overview: '/api/status' };

/**
 * Follows the state of the fleet while the page is visible: by server-sent events, or by questions where no stream comes through.
 * @param of `head`, or `overview`, which tells both
 * @param on what to do with each: `on.head(head)`, `on.overview(status)`
 */
export async function follow(of, on) {
  for (;;) {
    await untilVisible();
    const events = await readStream(of, on);
    const polls = events > 0 ? 1 : POLLS_WITHOUT_STREAM;
    for (let i = 0; i < polls && !document.hidden; i += 1) await poll(of, on);
  }
}

async function poll(of, on) {
  const answers = await Promise.all([fetchJson(PATHS[of]), of === 'head' ? null : fetchJson(PATHS.head)]);
  const [told, head] = of === 'head' ? [null, answers[0]] : answers;
  if (told !== null) on[of](told);
  if (head !== null) on.head(head);
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

function untilVisible() {
  return new Promise((resolve) => {
    if (!document.hidden) return resolve();
    document.addEventListener('visibilitychange', () => resolve(), { once: true });
  });
}

/** Reads one stream to its end. A hidden page closes it: a browser opens only a few at once. Returns the number of events. */
function readStream(of, on) {
  return new Promise((resolve) => {
    const source = new EventSource(toAddress(`/api/events?of=${of}`));
    let events = 0;
    let silence = setTimeout(end, SILENCE_MS);

    function end() {
      clearTimeout(silence);
      source.close();
      document.removeEventListener('visibilitychange', end);
      resolve(events);
    }

    for (const name of ['head', 'overview']) {
      source.addEventListener(name, ({ data }) => {
        events += 1;
        clearTimeout(silence);
        silence = setTimeout(end, SILENCE_MS);
        on[name](JSON.parse(data));
      });
    }
    source.addEventListener('error', end);
    document.addEventListener('visibilitychange', end);
  });
}
