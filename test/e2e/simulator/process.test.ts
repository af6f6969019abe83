import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../../dist/simulator/main.js', import.meta.url));
let child: ChildProcess;

afterEach(async () => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
});

it('prints where it listens and is steered and read over HTTP', async () => {
  const url = await start(['--latency-ms', '0', '--rpm', 'claude-haiku-4-5=1', '--accept-key', 'good']);
  expect(await ask(url, 'good')).toBe(200);
  expect(await ask(url, 'bad')).toBe(401);
  const config = { faults: [{ kind: 'overloaded' }], acceptKeys: ['new'], latencyMs: 5 };
  expect(await post(`${url}/__simulator/config`, config)).toBe(200);
  expect(await ask(url, 'new')).toBe(529);
  expect(await (await fetch(`${url}/__simulator/served`)).json()).toMatchObject({
    calls: 1,
    byUser: { 'job-1': { calls: 1 } },
  });
  const records = await (await fetch(`${url}/__simulator/requests?user=job-1`)).json();
  expect(records).toMatchObject([{ status: 200 }, { status: 529, fault: 'overloaded' }]);
});

it('refuses a wrong configuration and keeps the old one', async () => {
  const url = await start(['--latency-ms', '0']);
  expect(await post(`${url}/__simulator/config`, { faults: [{ kind: 'earthquake' }] })).toBe(400);
  expect(await ask(url, 'any')).toBe(200);
});

it('ends on SIGTERM, also while it answers', async () => {
  const url = await start(['--latency-ms', '600000']);
  const answer = ask(url, 'any');
  answer.catch(() => {}); // read below
  await fetch(`${url}/__simulator/served`);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expect(answer).rejects.toThrow();
});

it('ends when the pipe to its parent closes', async () => {
  await start([]);
  child.stdin?.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it('says what is wrong with its options', async () => {
  child = spawn(process.execPath, [main, '--port', 'x'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const text: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (part: string) => text.push(part));
  expect(await once(child, 'close')).toEqual([2, null]);
  expect(text.join('')).toContain('--port: expected a whole number, got "x"');
});

async function start(args: string[]): Promise<string> {
  child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  if (child.stdout === null) throw new Error('no stdout');
  for await (const line of createInterface({ input: child.stdout })) return (JSON.parse(line) as { url: string }).url;
  throw new Error('the simulator ended before it listened');
}

async function ask(url: string, key: string): Promise<number> {
  const body = {
    model: 'claude-haiku-5-5',
    max_tokens: 50,
    messages: [{ role: 'user', content: 'Hi' }],
    metadata: { user_id: 'job-1' },
  };
  return post(`${url}/v1/messages`, body, { 'x-api-key': key, 'anthropic-version': '2026-10-21' });
}

async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.text();
  return response.status;
}
