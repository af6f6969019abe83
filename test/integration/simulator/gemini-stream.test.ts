import { GoogleGenAI } from '@google/genai';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { GeminiFault } from '../../../simulator/gemini/faults/fault.ts';
import { type GeminiSimulator, startGeminiSimulator } from '../../../simulator/gemini/server.ts';
import { waitUntil } from '../../support/wait.ts';

const MODEL = 'gemini-3.5-flash-lite';
const FINDING = `<finding id="finding_aa01" at="2026-11-20T10:00:00.000Z" session="a">The upload timeout is ${'very '.repeat(200)}long.</finding>`;
const QUESTION = `${FINDING}\n<question>What is the upload timeout?</question>`;
let simulator: GeminiSimulator;
let whole: { text: string; output: number };

beforeEach(async () => {
  simulator = await startGeminiSimulator({ rules: 'real', latencyMs: 0, limits: { all: {} } });
  const { text } = await read();
  whole = { text, output: simulator.requests()[0]?.usage?.output ?? 0 };
  simulator.configure({ clearLog: true });
});

afterEach(() => simulator.close());

it('begins before it ends, and bills a client that leaves for what was sent', async () => {
  simulator.configure({ latencyMs: 2_000 });
  const abort = new AbortController();
  await read({ signal: abort.signal, onChunk: () => abort.abort() });
  await waitUntil(() => simulator.requests()[0]?.clientGone === true);
  expectPartlyBilled();
});

it.each([
  [{ kind: 'overloaded-mid-stream' }, /overloaded/],
  [{ kind: 'error-mid-stream' }, /internal error/],
  [{ kind: 'error-mid-stream', message: 'Not now.' }, /Not now/],
  [{ kind: 'reset-mid-stream' }, /./],
] satisfies [GeminiFault, RegExp][])('%j fails on the way', async (fault, words) => {
  simulator.configure({ faults: [fault] });
  const { text, thrown } = await read();
  expect(String(thrown)).toMatch(words);
  expect(text).not.toBe('');
  expectPartlyBilled();
});

it('a cut ends without an error, a reason or the rest', async () => {
  simulator.configure({ faults: [{ kind: 'cut', afterCharacters: 150 }] });
  const { text, reason, thrown } = await read();
  expect(thrown).toBeNull();
  expect(reason).toBeUndefined();
  expect(whole.text.startsWith(text)).toBe(true);
  expectPartlyBilled();
});

it('a stall sends nothing more until the client leaves', async () => {
  simulator.configure({ faults: [{ kind: 'stall', afterEvents: 2 }] });
  const abort = new AbortController();
  let chunks = 0;
  const reading = read({ signal: abort.signal, onChunk: () => (chunks += 1) });
  await waitUntil(() => chunks === 2);
  abort.abort();
  expect((await reading).thrown).not.toBeNull();
  await waitUntil(() => simulator.requests()[0]?.clientGone === true);
  expectPartlyBilled();
});

it('an error before the stream begins is JSON', async () => {
  simulator.configure({ faults: [{ kind: 'overloaded' }] });
  expect((await read()).thrown).toMatchObject({ status: 503 });
});

/** The prompt is billed, and of thinking and text what was sent. */
function expectPartlyBilled(): void {
  const [record] = simulator.requests();
  expect(record).toMatchObject({ status: 200, served: true });
  expect(record?.usage?.input).toBeGreaterThan(0);
  expect(record?.usage?.output).toBeGreaterThan(0);
  expect(record?.usage?.output).toBeLessThan(whole.output);
  expect(simulator.served()).toMatchObject({ calls: 1, usage: record?.usage, billNanoUsd: record?.billNanoUsd });
}

/** Reads a stream with the SDK until it ends or fails. */
async function read(
  options: { signal?: AbortSignal; onChunk?: () => void } = {},
): Promise<{ text: string; reason: string | undefined; thrown: unknown }> {
  const client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: simulator.url } });
  const { signal, onChunk } = options;
  let text = '';
  let reason: string | undefined;
  try {
    const config = { ...(signal && { abortSignal: signal }) };
    const stream = await client.models.generateContentStream({ model: MODEL, contents: QUESTION, config });
    for await (const chunk of stream) {
      text += chunk.text ?? '';
      reason = chunk.candidates?.[0]?.finishReason;
      onChunk?.();
    }
    return { text, reason, thrown: null };
  } catch (thrown) {
    return { text, reason, thrown };
  }
}
