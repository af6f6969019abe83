const away = document.querySelector('#away');
const logout = document.querySelector('#logout');

/** The address whose problem the banner shows; null: the dashboard did not answer at all, so that any answer ends it. */
let failed = null;

/** Shows the log-out button if the dashboard has a login. It asks the server, because no script can read the cookie. */
export async function showLogout() {
  const answer = await fetchJson('/api/login');
  logout.hidden = answer?.required !== true;
  logout.addEventListener('click', async () => {
    await fetch('/logout', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    location.assign('/login');
  });
}

/** Fetches JSON. Null: it failed, and the banner shows the reason. */
export async function fetchJson(address) {
  try {
    const response = await fetch(address, { headers: { accept: 'application/json' } });
    if (response.status === 401) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
      return null;
    }
    const body = await response.json();
    if (!response.ok) throw new Error(body.message ?? `the dashboard answered ${response.status}`);
    if (failed === null || failed === address) away.hidden = true;
    return body;
  } catch (error) {
    failed = error instanceof TypeError ? null : address;
    away.textContent = failed === null ? 'The dashboard does not answer; trying again.' : error.message;
    away.hidden = false;
    return null;
  }
}

/** Sends a change as JSON. Returns `{ answer }`, or `{ problem }`: why it was refused, for people. */
export async function sendChange(address, change) {
  try {
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(change) });
    if (response.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
    const body = await response.json();
    return response.ok ? { answer: body } : { problem: body.message ?? `the dashboard answered ${response.status}` };
  } catch {
    return { problem: 'the dashboard does not answer; load the page again to see what became of it' };
  }
}
