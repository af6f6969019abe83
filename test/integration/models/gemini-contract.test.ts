import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QuotaError, ShutdownError } from '../../../src/errors.ts';
import type { ArchiveModel } from '../../../src/models/archive-model.ts';
import { createGenaiModel } from '../../../src/models/gemini/genai.ts';
import { createGenerativeAiModel } from '../../../src/models/gemini/generative-ai.ts';
import type { GeminiOptions } from '../../../src/models/gemini/call.ts';
import { type GeminiSimulator, startGeminiSimulator } from '../../../simulator/gemini/server.ts';
import { startHttpHost } from '../../../simulator/provider-host/http-host.ts';
import { archiveRequest } from '../../support/models/archive-request.ts';
import { waitUntil } from '../../support/wait.ts';

const ADAPTERS: [string, (options: GeminiOptions) => ArchiveModel][] = [
  ['generative-ai', createGenerativeAiModel],
  ['genai', createGenaiModel],
];
const KEY = 'local-test-key-0123456789';
const TIMEOUT = archiveRequest('What is the upload timeout?', ['The upload timeout is 30 seconds.']);
const ANSWER = {
  answer: 'The upload timeout is 30 seconds. [finding_0000] (simulated model)',
  citations: ['finding_0000'],
};

const never = new AbortController().signal;
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  );

/** What both simulated providers can do. */
interface Provider {
  url: string;
  /** The next request is refused. */
  refuseOnce(status: number): void;
  cutOnce(): void;
  requests(): number;
  stop(): Promise<void>;
}

const STAND_INS: [string, () => Promise<Provider>][] = [
  ['the simulator', startOurs],
  ['aimock, which shares no code with it', startTheirs],
];

describe.each(ADAPTERS)('%s', (_name, create) => {
  describe.each(STAND_INS)('against %s', (_provider, start) => {
    let provider: Provider;
    let model: ArchiveModel;
    beforeEach(async () => {
      provider = await start();
      model = create({ apiKey: KEY, baseUrl: provider.url, idleMs: 10_000, totalMs: 10_000 });
    });
    afterEach(() => provider.stop());

    it('brings the answer, its end and its cost', async () => {
      const reply = await model.ask(TIMEOUT, { signal: never });
      expect(JSON.parse(reply.text)).toEqual(ANSWER);
      expect(reply).toMatchObject({ finish: 'stop', finishWords: 'STOP', model: TIMEOUT.model });
      expect(reply.usage).toMatchObject({ cache_write: 0, cache_read: 0 });
    });

    it('tells an answer that was cut off', async () => {
      provider.cutOnce();
      const reply = await model.ask(TIMEOUT, { signal: never });
      expect(reply).toMatchObject({ finish: 'max-tokens', finishWords: 'MAX_TOKENS' });
    });

    it.each([
      [400, { name: 'TaskFailedError', reason: 'request', billed: 'no' }],
      [403, { name: 'AccountRefusedError', billed: 'no' }],
      [429, { name: 'QuotaError', scope: 'minute', billed: 'no' }],
      [500, { name: 'ProviderUnavailableError', sent: false, billed: 'no' }],
      [503, { name: 'ProviderUnavailableError', sent: false, billed: 'no' }],
    ])('meets %i once, retries nothing, and the next call goes well', async (status, expected) => {
      provider.refuseOnce(status);
      await expect(model.ask(TIMEOUT, { signal: never })).rejects.toMatchObject(expected);
      expect(provider.requests()).toBe(1);
      await expect(model.ask(TIMEOUT, { signal: never })).resolves.toMatchObject({ finish: 'stop' });
    });

    it('asks nothing when the signal has fired before', async () => {
      const stopped = AbortSignal.abort(new ShutdownError('going away'));
      await expect(model.ask(TIMEOUT, { signal: stopped })).rejects.toThrow('going away');
      expect(provider.requests()).toBe(0);
    });
  });
});

describe.each(ADAPTERS)('%s against every way the provider can fail', (_name, create) => {
  let simulator: GeminiSimulator;
  let model: ArchiveModel;
  beforeEach(async () => {
    simulator = await startGeminiSimulator({ latencyMs: 0 });
    model = create({ apiKey: KEY, baseUrl: simulator.url, idleMs: 10_000, totalMs: 10_000 });
  });
  afterEach(() => simulator.close());

  it.each([
    ['invalid-key', { name: 'AccountRefusedError', message: expect.stringMatching(/API key not valid/) }],
    ['permission', { name: 'AccountRefusedError', message: expect.stringMatching(/403.* disabled/) }],
    ['no-billing', { name: 'AccountRefusedError', message: expect.stringMatching(/billing account/) }],
    ['no-credits', { name: 'AccountRefusedError', message: expect.stringMatching(/credits are depleted/) }],
    [
      'invalid-request',
      { name: 'TaskFailedError', reason: 'request', message: expect.stringMatching(/400.*invalid argument/) },
    ],
    ['minute-limit', { name: 'QuotaError', scope: 'minute', retryAfterMs: 38_400, statedLimit: 15 }],
    ['day-limit', { name: 'QuotaError', scope: 'day', retryAfterMs: 38_400, statedLimit: 15 }],
    ['token-limit', { name: 'QuotaError', scope: 'tokens', statedLimit: 15 }],
    ['day-and-minute-limit', { name: 'QuotaError', scope: 'day', statedLimit: 15 }],
    ['no-free-tier', { name: 'QuotaError', scope: 'day', statedLimit: 0 }],
    ['bare-429', { name: 'QuotaError', scope: 'minute', retryAfterMs: 15_000, statedLimit: null }],
    ['server-error', { name: 'ProviderUnavailableError', sent: false }],
    ['overloaded', { name: 'ProviderUnavailableError', message: expect.stringMatching(/503.*overloaded/) }],
    ['deadline', { name: 'ProviderUnavailableError', message: expect.stringMatching(/504/) }],
  ] as const)('%s is not billed and says what the provider said', async (kind, expected) => {
    simulator.configure({ faults: [{ kind }] });
    await expect(model.ask(TIMEOUT, { signal: never })).rejects.toMatchObject({ ...expected, billed: 'no' });
    expect(simulator.requests()).toHaveLength(1);
    expect(simulator.served().calls).toBe(0);
  });

  it('takes a text with half a character', async () => {
    const half = '🐘'.slice(0, 1);
    const request = { ...TIMEOUT, prompt: `${TIMEOUT.prompt} ${half}`, system: half };
    await expect(model.ask(request, { signal: never })).resolves.toMatchObject({ finish: 'stop' });
    await expect(model.countTokens(request, { signal: never })).resolves.toBeGreaterThan(0);
  });

  it.each([
    ['reset-before', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['reset-after', { name: 'ProviderUnavailableError', sent: true, billed: 'unknown' }],
    ['html', { name: 'TaskFailedError', reason: 'malformed', billed: 'unknown' }],
    ['empty-object', { name: 'TaskFailedError', reason: 'malformed', billed: 'unknown' }],
    ['no-usage', { name: 'TaskFailedError', reason: 'malformed', billed: 'unknown' }],
  ] as const)('%s ends in an error of an unknown cost', async (kind, expected) => {
    simulator.configure({ faults: [{ kind }] });
    await expect(model.ask(TIMEOUT, { signal: never })).rejects.toMatchObject(expected);
    expect(simulator.requests()).toHaveLength(1);
  });

  it.each([
    ['blocked', { finish: 'blocked', finishWords: 'PROHIBITED_CONTENT', text: '' }],
    ['safety', { finish: 'safety', finishWords: 'SAFETY', text: '' }],
    ['recitation', { finish: 'recitation', finishWords: 'RECITATION' }],
    ['max-tokens', { finish: 'max-tokens' }],
    ['no-candidates', { finish: 'empty', text: '' }],
    ['empty-text', { finish: 'empty', finishWords: 'STOP', text: '' }],
    ['prose', { finish: 'stop', text: expect.stringContaining('in my own words') }],
    ['slow-body', { finish: 'stop', text: JSON.stringify(ANSWER) }],
    ['slow-headers', { finish: 'stop', text: JSON.stringify(ANSWER) }],
    ['thinking', { finish: 'stop', text: JSON.stringify(ANSWER) }],
  ] as const)('%s is a reply whose cost is known', async (kind, expected) => {
    simulator.configure({ faults: [{ kind, delayMs: 20 }] });
    const reply = await model.ask(TIMEOUT, { signal: never });
    expect(reply).toMatchObject(expected);
    expect(reply.usage).toEqual(simulator.served().usage);
  });

  it.each(['hung', 'stalled-body'] as const)('gives up on a %s answer at the deadline', async (kind) => {
    simulator.configure({ faults: [{ kind }] });
    const impatient = create({ apiKey: KEY, baseUrl: simulator.url, idleMs: 200, totalMs: 200 });
    await expect(impatient.ask(TIMEOUT, { signal: never })).rejects.toMatchObject({
      name: 'CallTimeoutError',
      limit: 'total',
      sent: true,
      billed: 'unknown',
      message: 'gemini-3.5-flash-lite: no complete reply within 200 ms',
    });
    await waitUntil(() => simulator.requests()[0]?.clientGone === true);
  });

  it('ends a running call with the signal’s own reason and hangs up', async () => {
    simulator.configure({ faults: [{ kind: 'hung' }] });
    const job = new AbortController();
    const asked = failure(model.ask(TIMEOUT, { signal: job.signal }));
    await waitUntil(() => simulator.served().calls === 1);
    job.abort(new ShutdownError('going away'));
    expect(await asked).toMatchObject({ name: 'ShutdownError', message: 'going away' });
    await waitUntil(() => simulator.requests()[0]?.clientGone === true);
  });

  it('knows that nothing was sent where nobody listens', async () => {
    const { url } = simulator;
    await simulator.close();
    const alone = create({ apiKey: KEY, baseUrl: url, idleMs: 5_000, totalMs: 5_000 });
    await expect(alone.ask(TIMEOUT, { signal: never })).rejects.toMatchObject({
      name: 'ProviderUnavailableError',
      sent: false,
      billed: 'no',
    });
    simulator = await startGeminiSimulator();
  });

  it('tells many calls at once apart', async () => {
    simulator.configure({
      limits: { all: {} },
      faults: [{ kind: 'reset-before', when: { promptIncludes: 'odd' } }],
    });
    const asked = Array.from({ length: 20 }, (_, i) =>
      failure(model.ask(archiveRequest(i % 2 === 1 ? 'odd' : 'even'), { signal: new AbortController().signal })),
    );
    const outcomes = (await Promise.all(asked)).map((error) => (error as Error).name);
    expect(outcomes).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 1 ? 'ProviderUnavailableError' : 'Error')),
    );
  });

  it('takes a wrong model for what it is, and a wrong address for an outage', async () => {
    const unknown = archiveRequest('hello', [], { model: 'gemini-0' });
    await expect(model.ask(unknown, { signal: never })).rejects.toMatchObject({
      name: 'TaskFailedError',
      reason: 'model',
      message: expect.stringContaining('models/gemini-0 is not found'),
    });
    const page = await startHttpHost(async (_req, res) => {
      res.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not Found</h1>');
    });
    const elsewhere = create({ apiKey: KEY, baseUrl: page.url, idleMs: 5_000, totalMs: 5_000 });
    await expect(elsewhere.ask(TIMEOUT, { signal: never })).rejects.toMatchObject({
      name: 'ProviderUnavailableError',
      billed: 'no',
    });
    await page.close();
  });

  it('reads the two counts of a prompt above the window', async () => {
    const long = archiveRequest('long '.repeat(900_000));
    const tokens = await model.countTokens(long, { signal: never });
    await expect(model.ask(long, { signal: never })).rejects.toMatchObject({
      name: 'PromptTooLongError',
      reason: 'too-long',
      tokens,
      limit: 1_000_000,
      billed: 'no',
    });
  });

  it('knows a body above 20 MiB for a prompt that is too long', async () => {
    const long = archiveRequest('long '.repeat(4_500_000));
    await expect(model.ask(long, { signal: never })).rejects.toMatchObject({ reason: 'too-long', billed: 'no' });
  });

  it('counts the prompt as the call will be billed, free of charge', async () => {
    const counted = await model.countTokens(TIMEOUT, { signal: never });
    const { usage } = await model.ask(TIMEOUT, { signal: never });
    expect(counted).toBeGreaterThan(0);
    expect(Math.abs((counted ?? 0) - usage.input)).toBeLessThan(5);
    expect(simulator.counts()).toMatchObject([{ accepted: 1 }]);
  });

  it('reads what came from the cache apart', async () => {
    simulator.configure({ limits: { all: {} } });
    const long = archiveRequest('What is the upload timeout?', [
      'The upload timeout is 30 seconds.',
      'x'.repeat(20_000),
    ]);
    await model.ask(long, { signal: never });
    const { usage } = await model.ask(long, { signal: never });
    expect(usage.cache_read).toBeGreaterThan(3_000);
    expect(usage.input).toBeGreaterThan(0);
    expect(simulator.requests()[1]?.usage).toEqual(usage);
  });

  it('is refused by the real limits in the provider’s words', async () => {
    simulator.configure({ limits: { all: { rpm: 1, rpd: 2 }, windowMs: 1_000 } });
    await model.ask(TIMEOUT, { signal: never });
    const minute = await failure(model.ask(TIMEOUT, { signal: never }));
    expect(minute).toBeInstanceOf(QuotaError);
    expect(minute).toMatchObject({ scope: 'minute', statedLimit: 1 });
    expect((minute as QuotaError).retryAfterMs).toBeGreaterThan(0);
    expect((minute as QuotaError).retryAfterMs).toBeLessThanOrEqual(1_000);
    simulator.configure({ limits: { all: { tpm: 10 } } });
    expect(await failure(model.ask(TIMEOUT, { signal: never }))).toMatchObject({ scope: 'tokens', statedLimit: 10 });
    simulator.configure({ limits: { all: { rpd: 1 } } });
    expect(await failure(model.ask(TIMEOUT, { signal: never }))).toMatchObject({ scope: 'day', statedLimit: 1 });
  });

  it('keeps the key out of every error', async () => {
    simulator.configure({ faults: [{ kind: 'invalid-request', message: `bad header x-goog-api-key: ${KEY}` }] });
    const error = await failure(model.ask(TIMEOUT, { signal: never }));
    const { message, stack, cause } = error as Error;
    expect(message).toContain('[redacted]');
    expect(`${message} ${stack} ${String(cause)} ${(cause as Error).stack}`).not.toContain(KEY);
  });
});

async function startOurs(): Promise<Provider> {
  const simulator = await startGeminiSimulator({ latencyMs: 0 });
  const kinds = {
    400: 'invalid-request',
    403: 'permission',
    429: 'minute-limit',
    500: 'server-error',
    503: 'overloaded',
  };
  return {
    url: simulator.url,
    refuseOnce: (status) =>
      simulator.configure({ faults: [{ kind: kinds[status as keyof typeof kinds] as 'permission', times: 1 }] }),
    cutOnce: () => simulator.configure({ faults: [{ kind: 'max-tokens', times: 1 }] }),
    requests: () => simulator.requests().length,
    stop: () => simulator.close(),
  };
}

async function startTheirs(): Promise<Provider> {
  const mock = new LLMock({ port: 0, host: '127.0.0.1' });
  let cut = false;
  mock.onMessage('upload timeout', () => {
    const content = JSON.stringify(ANSWER);
    return cut ? { content: content.slice(0, 20), finishReason: 'length' } : { content };
  });
  await mock.start();
  return {
    url: mock.url,
    refuseOnce: (status) => {
      mock.nextRequestError(status, { message: 'not now', type: 'error' });
    },
    cutOnce: () => {
      cut = true;
    },
    requests: () => mock.getRequests().length,
    stop: () => mock.stop(),
  };
}
