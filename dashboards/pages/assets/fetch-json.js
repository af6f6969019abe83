import { toAddress } from './base.js';

const away = document.querySelector('#away');
const logout = document.querySelector('#logout');

/** Between two tries while the dashboard or its Redis is away. */
const RETRY_MS = 2_000;

/** The addresses, without their queries, whose problem the banner shows, with its words. */
const problems = new Map();

/** Shows the log-out button if the dashboard has a login. It asks the server, because no script can read the cookie. */
export async function showLogout() {
  const answer = await fetchWhenThere('/api/login');
  logout.hidden = answer?.required !== true;
  logout.addEventListener('click', async () => {
    await fetch(toAddress('/logout'), { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    location.assign(toAddress('/login'));
  });
}

/** Fetches JSON. Null: it failed, and the banner shows the reason. @param onWrong called if it breaks a rule, as it will each time */
export async function fetchJson(path, onWrong) {
  const { body, isWrong } = await tryFetch(path);
  if (isWrong) onWrong?.();
  return body;
}

/** Fetches JSON, again and again while the dashboard or its Redis is away. Null: it was refused, and the banner shows the reason. @param onWrong as of `fetchJson` */
export async function fetchWhenThere(path, onWrong) {
  for (;;) {
    const { body, isAway, isWrong } = await tryFetch(path);
    if (isWrong) onWrong?.();
    if (!isAway) return body;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function tryFetch(path) {
  const [address] = path.split('?'); // an answer to another query ends its problem
  try {
    const response = await fetch(toAddress(path), { headers: { accept: 'application/json' } });
    if (response.status === 401) {
      location.assign(toAddress(`/login?next=${encodeURIComponent(location.pathname + location.search)}`));
      return { body: null, isAway: false };
    }
    const body = await readBody(response);
    if (response.ok && body !== null) {
      problems.delete(address);
      showProblems();
      return { body, isAway: false };
    }
    problems.set(address, body?.message ?? `The dashboard answered ${response.status}.`);
    showProblems();
    return { body: null, isAway: body === null || response.status === 503, isWrong: response.status === 400 };
  } catch {
    problems.set(address, 'The dashboard does not answer; trying again.');
    showProblems();
    return { body: null, isAway: true };
  }
}

/** Null: no JSON. A proxy answers so while the dashboard is away. */
function readBody(response) {
  return response.json().catch(() => null);
}

function showProblems() {
  const [first] = problems.values();
  away.textContent = first ?? '';
  away.hidden = first === undefined;
}

/** Sends a change as JSON. Returns `{ answer }`, or `{ problem }`: why it was refused, for people. */
export async function sendChange(path, change) {
  try {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const response = await fetch(toAddress(path), { method: 'POST', headers, body: JSON.stringify(change) });
    if (response.status === 401) location.assign(toAddress(`/login?next=${encodeURIComponent(location.pathname)}`));
    const body = await response.json();
    return response.ok ? { answer: body } : { problem: body.message ?? `the dashboard answered ${response.status}` };
  } catch {
    return { problem: 'the dashboard does not answer; load the page again to see what became of it' };
  }
}
