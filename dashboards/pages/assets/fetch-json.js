const away = document.querySelector('#away');
const logout = document.querySelector('#logout');

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
    away.hidden = true;
    return body;
  } catch (error) {
    const gone = error instanceof TypeError ? 'The dashboard does not answer; trying again.' : error.message;
    away.textContent = gone;
    away.hidden = false;
    return null;
  }
}
