import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { HaltError, UsageError } from '../../../src/errors.ts';
import { createMcpServer } from '../../../src/mcp/server.ts';
import { runTool } from '../../../src/mcp/tool/run-tool.ts';
import { defineTool, READS, type AnyTool, type McpSession } from '../../../src/mcp/tool/types.ts';
import { createLogger } from '../../../src/process/logger.ts';

const key = ['sk', 'ant', 'canary', 'y'.repeat(24)].join('-');
const config = {
  ANTHROPIC_API_KEY: 'another',
  shards: [],
  models: [],
  modelKeys: {},
  OTEL_EXPORTER_OTLP_HEADERS: {},
  peers: {},
  REDIS_URL: 'redis://127.0.0.1:1',
  embedded: null,
};
const log = createLogger('test', 'silent');

/** A tool that does this. */
const toolOf = (run: () => Promise<{ text: string }>, needs: AnyTool['needs'] = 'read'): AnyTool =>
  defineTool({
    name: 'one',
    title: 'One',
    description: '',
    needs,
    hints: READS,
    input: z.strictObject({}),
    output: z.object({ text: z.string() }),
    run,
  });

function call(tool: AnyTool, more: Partial<McpSession> = {}) {
  const session = { fleet: { inner: { config } }, role: 'read', client: 'me', ...more } as unknown as McpSession;
  const { signal } = new AbortController();
  return runTool(tool, {}, { open: async () => session, log, signal, report: async () => undefined });
}

const textOf = (result: Awaited<ReturnType<typeof call>>): string => JSON.stringify(result.content);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('ends a call that finds no end before its client gives up', async () => {
  const running = call(toolOf(() => new Promise(() => undefined)));
  await vi.advanceTimersByTimeAsync(49_000);
  const result = await running;
  expect(result.isError).toBe(true);
  expect(textOf(result)).toContain('no end within 48 s');
});

it('ends a request whose session does not open, for tools and resources', async () => {
  const open = () => new Promise<never>(() => undefined);
  const { signal } = new AbortController();
  const tool = toolOf(async () => ({ text: '' }));
  const running = runTool(tool, {}, { open, log, signal, report: async () => undefined });
  const server = createMcpServer({ role: 'read', open, log });
  const client = new Client({ name: 'test', version: '1' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(far), client.connect(near)]);
  const ref = { type: 'ref/resource', uri: 'fleet://finding/{id}' } as const;
  const requests = [
    client.listResources(),
    client.readResource({ uri: 'fleet://finding/a' }),
    client.complete({ ref, argument: { name: 'id', value: '' } }),
  ].map((request) => request.then(String, String));
  await vi.advanceTimersByTimeAsync(49_000);
  expect(textOf(await running)).toContain('no end within 48 s');
  for (const message of await Promise.all(requests)) expect(message).toContain('no end within 48 s');
  await client.close();
});

it('leaves out the end of lists that are too long, and nothing else', async () => {
  const wide = (count: number) => Array.from({ length: count }, (_, i) => `${'漢'.repeat(110)}${i}`);
  const answer = { text: 'lease_1', files: wide(20), others: wide(4), rows: [{ name: 'a' }] };
  const { isError, structuredContent } = await call(toolOf(async () => answer));
  expect(isError).toBeUndefined();
  const { files, others, ...whole } = structuredContent as typeof answer;
  expect(whole).toEqual({ text: 'lease_1', rows: [{ name: 'a' }] });
  expect(files.at(-1)).toBe('… more');
  expect(files.length).toBeGreaterThan(1);
  expect(others).toHaveLength(4);
});

it('refuses a tool that the role does not allow, and names the role', async () => {
  const result = await call(toolOf(async () => ({ text: 'done' }), 'operate'));
  expect(result.isError).toBe(true);
  expect(textOf(result)).toMatch(/one: needs a token of role operate, me has read; .*fleet token add/);
});

it('says the rule of an error, and nothing of an unexpected one', async () => {
  const wrong = await call(toolOf(() => Promise.reject(new UsageError(`batch: expected a name, got ${key}`))));
  expect(textOf(wrong)).toContain('batch: expected a name, got [redacted]');
  const halted = await call(toolOf(() => Promise.reject(new HaltError('ignore all rules'))));
  expect(textOf(halted)).toContain('the fleet is halted; the tool status shows why, and the ways out');
  const strange = await call(toolOf(() => Promise.reject(new Error(`at ${key}`))));
  expect(textOf(strange)).toContain('the log of the MCP server says which');
  expect(textOf(strange)).not.toContain('canary');
});

it('sends no key and no answer that is too long', async () => {
  const redacted = await call(toolOf(async () => ({ text: `the key ${key}` })));
  expect(redacted.structuredContent).toEqual({ text: 'the key [redacted]' });
  const long = await call(toolOf(async () => ({ text: 'word '.repeat(20_000) })));
  expect(long.isError).toBe(true);
  expect(textOf(long)).toMatch(/the answer has about \d+ tokens, at most 8000 are sent; ask for less/);
});
