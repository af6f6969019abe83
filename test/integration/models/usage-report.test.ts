import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { AccountRefusedError, ProviderUnavailableError } from '../../../src/errors.ts';
import { readUsageReport, type ReportedUsage } from '../../../src/models/anthropic/usage-report.ts';

const DAY = '2026-11-20';
const KEY = 'admin-key-of-a-test';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const result = (model: string, output: number): object => ({
  uncached_input_tokens: 1,
  cache_creation: { ephemeral_1h_input_tokens: 2, ephemeral_5m_input_tokens: 3 },
  cache_read_input_tokens: 4,
  output_tokens: output,
  server_tool_use: { web_search_requests: 0 },
  api_key_id: null,
  workspace_id: null,
  model,
  service_tier: null,
  context_window: null,
  inference_geo: 'us',
});

const bucket = (day: string, ...results: object[]): object => ({
  starting_at: `${day}T00:00:00Z`,
  ending_at: `${day}T23:59:59Z`,
  results,
});

/** Reads the day from a server that gives these answers, one after the other. */
async function readFrom(
  ...answers: { status?: number; body: object }[]
): Promise<{ read: Promise<ReportedUsage[]>; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const { status = 200, body } = answers[requests.length] ?? { body: {} };
    requests.push(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { read: readUsageReport(DAY, { adminKey: KEY, baseUrl, signal: AbortSignal.timeout(5_000) }), requests };
}

it('reads every page, and only the day', async () => {
  const first = { data: [bucket(DAY, result('claude-haiku-5-5', 5))], has_more: true, next_page: 'page_2' };
  const rest = [bucket(DAY, result('claude-sonnet-5-5', 6)), bucket('2026-11-21', result('claude-haiku-5-5', 7))];
  const { read, requests } = await readFrom(
    { body: first },
    { body: { data: rest, has_more: false, next_page: null } },
  );
  const usage = { input: 1, cache_write: 5, cache_read: 4 };
  expect(await read).toEqual([
    { model: 'claude-haiku-5-5', geo: 'us', usage: { ...usage, output: 5 } },
    { model: 'claude-sonnet-5-5', geo: 'us', usage: { ...usage, output: 6 } },
  ]);
  const [one, two] = requests.map(({ url = '' }) => new URL(url, 'http://x').searchParams);
  expect(one?.getAll('group_by[]')).toEqual(['model', 'inference_geo']);
  expect(one?.get('starting_at')).toBe('2026-11-20T00:00:00.000Z');
  expect(two?.get('page')).toBe('page_2');
  expect(requests[0]?.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2023-06-01' });
});

it('takes no report without the day for a day without cost', async () => {
  const { read } = await readFrom({ body: { data: [], has_more: false, next_page: null } });
  await expect(read).rejects.toThrow('expected the day 2026-11-20, got none');
});

it('refuses another shape', async () => {
  const { read } = await readFrom({ body: { data: [bucket(DAY, { model: 'm' })], has_more: false } });
  await expect(read).rejects.toBeInstanceOf(ProviderUnavailableError);
});

it('never repeats the key', async () => {
  const { read } = await readFrom({ status: 500, body: { message: `wrong key ${KEY}` } });
  await expect(read).rejects.toThrow('500 {"message":"wrong key [redacted]"}');
});

it('is refused with a key of another API', async () => {
  const simulator = await startAnthropicSimulator();
  closing.push(() => simulator.close());
  const options = { adminKey: 'key', baseUrl: simulator.url, signal: AbortSignal.timeout(5_000) };
  await expect(readUsageReport(DAY, options)).rejects.toBeInstanceOf(AccountRefusedError);
});

it('reads a day without calls from the simulator', async () => {
  const simulator = await startAnthropicSimulator();
  closing.push(() => simulator.close());
  const options = { adminKey: KEY, baseUrl: simulator.url, signal: AbortSignal.timeout(5_000) };
  expect(await readUsageReport(DAY, options)).toEqual([]);
});
