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

it('serves both providers from one process, with the limits it is given', async () => {
  const config = { limits: { all: { rpm: 1 }, windowMs: 60_000 }, projects: { 'key-a': 'p', 'key-b': 'p' } };
  const url = await start(['--latency-ms', '0', '--gemini', JSON.stringify(config)]);
  expect(await askGemini(url, 'key-a')).toBe(200);
  expect(await askGemini(url, 'key-b')).toBe(429);
  expect(await askAnthropic(url)).toBe(200);
  const counts = await (await fetch(`${url}/__simulator/gemini/counts`)).json();
  expect(counts).toMatchObject([{ project: 'p', accepted: 1, refused: 1 }]);
  expect(await (await fetch(`${url}/__simulator/served`)).json()).toMatchObject({ calls: 1 });
});

it('says what is wrong with its options', async () => {
  child = spawn(process.execPath, [main, '--gemini', '{"limit":1}'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const text: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (part: string) => text.push(part));
  expect(await once(child, 'close')).toEqual([2, null]);
  expect(text.join('')).toMatch(/limit[\s\S]*usage: main\.js/);
});

async function start(args: string[]): Promise<string> {
  child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  if (child.stdout === null) throw new Error('no stdout');
  for await (const line of createInterface({ input: child.stdout })) return (JSON.parse(line) as { url: string }).url;
  throw new Error('the simulator ended before it listened');
}

function askGemini(url: string, key: string): Promise<number> {
  const body = { contents: [{ parts: [{ text: 'Hi' }] }] };
  return post(`${url}/v1beta/models/gemini-3.5-flash-lite:generateContent`, body, { 'x-goog-api-key': key });
}

function askAnthropic(url: string): Promise<number> {
  const body = { model: 'claude-haiku-5-5', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] };
  return post(`${url}/v1/messages`, body, { 'x-api-key': 'any', 'anthropic-version': '2026-10-21' });
}

async function post(url: string, body: object, headers: Record<string, string>): Promise<number> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.text();
  return response.status;
}
