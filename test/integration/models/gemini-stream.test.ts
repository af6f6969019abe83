import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShutdownError } from '../../../src/errors.ts';
import type { ArchiveModel } from '../../../src/models/archive-model.ts';
import type { GeminiOptions } from '../../../src/models/gemini/call.ts';
import { createGenaiModel } from '../../../src/models/gemini/genai.ts';
import { createGenerativeAiModel } from '../../../src/models/gemini/generative-ai.ts';
import type { GeminiFault } from '../../../simulator/gemini/faults/fault.ts';
import { type GeminiSimulator, startGeminiSimulator } from '../../../simulator/gemini/server.ts';
import { archiveRequest } from '../../support/models/archive-request.ts';
import { waitUntil } from '../../support/wait.ts';

const ADAPTERS: [string, (options: GeminiOptions) => ArchiveModel][] = [
  ['generative-ai', createGenerativeAiModel],
  ['genai', createGenaiModel],
];
const QUESTION = archiveRequest('What is the upload timeout?', [`The upload timeout is ${'very '.repeat(200)}long.`]);
const never = new AbortController().signal;

describe.each(ADAPTERS)('a stream through %s', (_name, create) => {
  let simulator: GeminiSimulator;
  beforeEach(async () => {
    simulator = await startGeminiSimulator({ latencyMs: 0, limits: { all: {} } });
  });
  afterEach(() => simulator.close());

  const ask = (limits: Partial<GeminiOptions> = {}, signal = never) =>
    create({ apiKey: 'local-test-key', baseUrl: simulator.url, idleMs: 10_000, totalMs: 10_000, ...limits }).ask(
      QUESTION,
      { signal },
    );
  const failure = (asked: Promise<unknown>): Promise<unknown> =>
    asked.then(
      () => new Error('the call succeeded'),
      (error: unknown) => error,
    );
  /** What the provider bills for the one request. */
  const billed = () => simulator.requests()[0]?.usage;

  it('is the whole reply once its end has arrived', async () => {
    const reply = await ask();
    expect(reply).toMatchObject({ finish: 'stop', finishWords: 'STOP' });
    expect(JSON.parse(reply.text)).toMatchObject({ citations: ['finding_0000'] });
    expect(reply.usage).toEqual(billed());
    expect(reply.usage.output).toBeGreaterThan(0);
  });

  it.each([
    [{ kind: 'cut', afterCharacters: 150 }, /no readable reply came back/],
    [{ kind: 'reset-mid-stream' }, /no readable reply came back/],
    [{ kind: 'broken-json' }, /no readable reply came back/],
    [{ kind: 'overloaded-mid-stream' }, /503 UNAVAILABLE: .*overloaded/],
    [{ kind: 'error-mid-stream' }, /500 INTERNAL: .*internal error/],
  ] satisfies [GeminiFault, RegExp][])(
    'that breaks by %j is an outage that costs what it reported',
    async (fault, words) => {
      simulator.configure({ faults: [fault] });
      const error = await failure(ask());
      expect(error).toMatchObject({
        name: 'ProviderUnavailableError',
        sent: true,
        message: expect.stringMatching(words),
        billed: { reported: { input: billed()?.input, output: expect.any(Number) } },
      });
      expect(simulator.requests()).toHaveLength(1);
    },
  );

  it('that stalls ends after the idle limit, and costs what it reported', async () => {
    simulator.configure({ faults: [{ kind: 'stall', afterEvents: 2 }] });
    expect(await failure(ask({ idleMs: 400 }))).toMatchObject({
      name: 'CallTimeoutError',
      limit: 'idle',
      message: 'gemini-3.5-flash-lite: nothing arrived for 400 ms',
      billed: { reported: billed() },
    });
    await waitUntil(() => simulator.requests()[0]?.clientGone === true);
  });

  it('may begin later than the idle limit, because the provider reads and thinks first', async () => {
    simulator.configure({ faults: [{ kind: 'slow-headers', delayMs: 450 }] });
    expect(await ask({ idleMs: 400 })).toMatchObject({ finish: 'stop' });
    simulator.configure({ faults: [{ kind: 'hung' }] });
    expect(await failure(ask({ idleMs: 20 }))).toMatchObject({
      limit: 'idle',
      message: 'gemini-3.5-flash-lite: nothing arrived for 100 ms',
      billed: 'unknown',
    });
  });

  it('that its caller ends costs what it reported', async () => {
    simulator.configure({ faults: [{ kind: 'stall', afterEvents: 2 }] });
    const job = new AbortController();
    const asked = failure(ask({}, job.signal));
    await waitUntil(() => (billed()?.output ?? 0) > 0);
    const sent = billed();
    job.abort(new ShutdownError('going away'));
    const error = await asked;
    expect(error).toMatchObject({ name: 'ShutdownError' });
    expect([{ reported: sent }, 'unknown']).toContainEqual((error as ShutdownError).billed); // the chunks may not have been read
    await waitUntil(() => simulator.requests()[0]?.clientGone === true);
  });
});

it.each([
  ['Your spending limit of the last ten minutes is reached; check your rate limits.', 'QuotaError'],
  ['Your prepayment credits are depleted.', 'AccountRefusedError'],
])('a 429 that says %j is a %s', async (message, name) => {
  const simulator = await startGeminiSimulator({ latencyMs: 0, faults: [{ kind: 'no-credits', message }] });
  const model = createGenaiModel({ apiKey: 'k', baseUrl: simulator.url, idleMs: 5_000, totalMs: 5_000 });
  await expect(model.ask(QUESTION, { signal: never })).rejects.toMatchObject({ name, billed: 'no' });
  await simulator.close();
});
