import { chmodSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPatch } from '../../../src/patches/record.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { makePatch, makePersonRepository, type PatchSetup } from '../../support/patches/person-repository.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();

interface PatchAnswer {
  patch: object;
  diff: { files: { lines: object[] }[] };
  actions: string[];
  obstacle: string | null;
}

/** The dashboard of a host with the person's repository as workspace `site`, and one patch. */
async function open(setup: Partial<PatchSetup> = {}, env: Record<string, string> = {}) {
  const person = makePersonRepository({ 'a.txt': 'one\n', 'b.txt': 'b\n' });
  const work = (tree: typeof person) => tree.write({ 'a.txt': 'TWO\n' });
  const record = await makePatch(fixture.db, person, 'task-1', { work, ...setup });
  const dashboard = await startDashboard(fixture, {
    FLEET_WORKSPACES: `site=${person.root}`,
    FLEET_DATA: join(dirname(person.root), 'data'),
    ...env,
  });
  const path = `/api/patches/${record.findingId}`;
  const change = async (action: string, more: object = {}) => {
    const response = await dashboard.send('POST', `${path}/${action}`, { head: record.head, ...more });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const read = async (id = record.findingId) => {
    const response = await dashboard.ask(`/api/patches/${encodeURIComponent(id)}`);
    return { status: response.status, body: (await response.json()) as PatchAnswer };
  };
  const state = async () => (await readPatch(fixture.db, record.findingId))?.state;
  return { ...dashboard, person, record, path, change, read, state, head: () => person.git('rev-parse', 'HEAD') };
}

/** `fetch` sets Host itself. */
function postAs(port: number, path: string, headers: Record<string, string>, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end(body);
  });
}

describe('a patch in the dashboard', () => {
  it('is read by the id of its finding or task, with its files and what a person can do', async () => {
    const { read, record } = await open({
      work: (tree) => tree.write({ 'a.txt': 'TWO\n', 'ü ß.bin': Buffer.from([0, 1, 2]) }),
      leftOut: [{ path: '.env', why: 'a secret' }],
    });
    const { body } = await read();
    expect(body).toMatchObject({
      patch: { id: record.findingId, subject: 'Do task-1', state: 'pending', leftOut: [{ path: '.env' }] },
      actions: ['apply', 'discard'],
      obstacle: null,
    });
    expect(body.diff).toMatchObject({
      isKept: true,
      filesCount: 2,
      files: [
        { path: 'a.txt', added: 1, removed: 1, isBinary: false },
        { path: 'ü ß.bin', isBinary: true, notes: ['new'], lines: [] },
      ],
    });
    expect(body.diff.files[0]?.lines).toEqual([
      expect.objectContaining({ sign: '@' }),
      { sign: '-', old: 1, new: null, text: 'one' },
      { sign: '+', old: null, new: 1, text: 'TWO' },
    ]);
    expect((await read('task-1')).body).toMatchObject({ patch: { id: record.findingId } });
    expect((await read('finding_none')).status).toBe(404);
  });

  it('is bounded, and says what is not shown', async () => {
    const lines = Array.from({ length: 3_000 }, (_, i) => `line ${i}\n`).join('');
    const { read } = await open({ work: (tree) => tree.write({ 'a.txt': lines, 'z.txt': 'z\n' }) });
    const { files } = (await read()).body.diff;
    expect(files[0]).toMatchObject({ path: 'a.txt', added: 3_000, isCut: true });
    expect(files[0]?.lines).toHaveLength(1_000);
    expect(files[1]).toMatchObject({ path: 'z.txt', isCut: false });
  });

  it('without a text names its files', async () => {
    const { read, redis, keys, record } = await open();
    await redis.del(keys.patchText(record.findingId));
    expect((await read()).body.diff).toMatchObject({ isKept: false, files: [{ path: 'a.txt', lines: [] }] });
  });

  it('stands on the status page and in the list of findings while it waits', async () => {
    const { ask, change, record } = await open();
    const status = async () => (await (await ask('/api/status')).json()) as Record<string, unknown>;
    expect(await status()).toMatchObject({
      patches: { pending: 1 },
      newestPatches: [{ id: record.findingId, subject: 'Do task-1', files: 1, added: 1, removed: 1, state: 'pending' }],
    });
    await change('apply');
    await expect.poll(status).toMatchObject({ patches: { pending: 0 }, newestPatches: [] });
  });
});

describe('a change of a patch', () => {
  it('applies, undoes and applies again, as commits of the branch', async () => {
    const { change, person, head, state, read } = await open();
    const before = head();
    const asked = await change('apply', { dryRun: true });
    expect(asked).toMatchObject({ status: 200, body: { onto: 'main', report: { patches: [{ outcome: 'fits' }] } } });
    expect(head()).toBe(before);
    expect((await change('apply')).body).toMatchObject({
      report: { patches: [{ outcome: 'applied', commit: head() }] },
    });
    expect(person.git('log', '--format=%s', `${before}..HEAD`)).toBe('Do task-1');
    expect(person.read('a.txt')).toBe('TWO\n');
    expect([await state(), (await read()).body.actions]).toEqual(['applied', ['undo']]);
    expect((await change('undo', { dryRun: true })).body).toEqual({ onto: 'main', report: null });
    expect((await change('undo')).body).toMatchObject({ report: { patches: [{ outcome: 'undone', commit: head() }] } });
    expect(person.read('a.txt')).toBe('one\n');
    expect((await read()).body.actions).toEqual(['apply']);
  });

  it('names the paths that the person changed, and changes nothing', async () => {
    const { change, person, head, state } = await open();
    const before = head();
    person.write({ 'a.txt': 'mine\n' });
    const answer = await change('apply');
    expect(answer).toMatchObject({
      status: 200,
      body: { report: { patches: [{ outcome: 'dirty', paths: ['a.txt'] }] } },
    });
    expect([head(), person.read('a.txt'), await state()]).toEqual([before, 'mine\n', 'pending']);
  });

  it('keeps a conflict, with its paths', async () => {
    const { change, person, read } = await open();
    person.write({ 'a.txt': 'other\n' });
    person.commit('Mine');
    await change('apply');
    expect((await read()).body.patch).toMatchObject({ state: 'conflict', conflict: { paths: ['a.txt'] } });
  });

  it('discards', async () => {
    const { change, state, person } = await open();
    expect((await change('discard', { dryRun: true })).body).toEqual({ onto: null, report: null });
    expect(await state()).toBe('pending');
    expect((await change('discard')).body).toMatchObject({ report: { patches: [{ outcome: 'discarded' }] } });
    expect([await state(), person.git('branch', '--list', 'fleet/*')]).toEqual(['discarded', '']);
  });

  it('is made once, also when it is asked for twice at once', async () => {
    const { change, person } = await open();
    const answers = await Promise.all([change('apply'), change('apply')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 409]);
    expect(person.git('rev-list', '--count', 'HEAD')).toBe('2');
  });

  it('is refused for an unknown id, a body of another shape, and a patch that has changed since', async () => {
    const { send, change, path, head } = await open();
    const before = head();
    expect((await send('POST', '/api/patches/none/apply', { head: 'x' })).status).toBe(404);
    expect((await send('POST', '/api/patches/none/discard', { head: 'x' })).status).toBe(404);
    expect((await send('POST', `${path}/apply`, {})).status).toBe(400);
    expect((await change('apply', { check: 'touch /tmp/x' })).status).toBe(400);
    expect((await change('prune')).status).toBe(404);
    expect(await change('apply', { head: before })).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('changed since') },
    });
    expect((await change('undo')).status).toBe(409);
    expect(head()).toBe(before);
  });

  it('is refused where this host has not the workspace, or cannot write it', async () => {
    const elsewhere = await open({ workspace: 'other' });
    expect((await elsewhere.read()).body.obstacle).toContain('workspace other is not in FLEET_WORKSPACES');
    expect((await elsewhere.change('discard')).status).toBe(409);
    expect(await elsewhere.state()).toBe('pending');
    const { read, person } = await open();
    chmodSync(person.root, 0o555);
    const { obstacle } = (await read()).body;
    chmodSync(person.root, 0o755);
    if (process.getuid?.() !== 0) expect(obstacle).toContain('cannot write');
  });

  it('passes the guard that all changes pass', async () => {
    const { ask, send, path, record, port, head, state, base } = await open({}, { DASHBOARD_PASSWORD: TEST_PASSWORD });
    const before = head();
    const body = { head: record.head };
    const authorization = `Basic ${Buffer.from(`fleet:${TEST_PASSWORD}`).toString('base64')}`;
    for (const action of ['apply', 'discard', 'undo']) {
      const to = `${path}/${action}`;
      const as = (headers: Record<string, string>) => send('POST', to, body, { authorization, ...headers });
      expect((await send('POST', to, body)).status, action).toBe(401);
      expect((await as({ origin: 'http://localhost:1' })).status).toBe(403);
      expect((await as({ origin: 'null' })).status).toBe(403);
      expect((await as({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
      const text = { method: 'POST', headers: { authorization, 'content-type': 'text/plain' } };
      expect((await ask(to, { ...text, body: JSON.stringify(body) })).status).toBe(415);
      expect((await ask(to, { headers: { authorization } })).status).toBe(404);
      const headers = { authorization, host: `rebound.example:${port}`, 'content-type': 'application/json' };
      expect(await postAs(port, to, headers, JSON.stringify(body))).toBe(403);
    }
    expect((await ask(path)).status).toBe(401);
    expect((await ask(`/patches/${record.findingId}`, { headers: { accept: 'text/html' } })).status).toBe(303);
    expect([head(), await state()]).toEqual([before, 'pending']);
    const own = { authorization, origin: base, 'sec-fetch-site': 'same-origin' };
    expect((await send('POST', `${path}/apply`, body, own)).status).toBe(200);
    expect(await state()).toBe('applied');
  });

  it('is served under the strict policy, with nothing of the patch in the page itself', async () => {
    const { ask, record } = await open();
    const page = await ask(`/patches/${record.findingId}`);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.text()).not.toContain('task-1');
  });
});
