import { GoogleGenerativeAI } from '@google/generative-ai';
import { GoogleGenAI } from '@google/genai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import { waitUntil } from '../../support/wait.ts';

const MODEL = 'gemini-3.5-flash-lite';
const PATH = `/v1beta/models/${MODEL}`;
const FINDINGS = [
  '<finding id="finding_aa01" at="2026-11-20T10:00:00.000Z" session="a">The upload timeout is 30 seconds.</finding>',
  '<finding id="finding_bb02" at="2026-11-20T11:00:00.000Z" session="a">The upload timeout is 45 seconds.</finding>',
].join('\n');
const QUESTION = `${FINDINGS}\n<question>What is the upload timeout?</question>`;

let simulator: Simulator;
beforeEach(async () => {
  simulator = await startSimulator({ anthropic: { latencyMs: 0 }, gemini: { latencyMs: 0 } });
});
afterEach(() => simulator.close());

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = { 'x-goog-api-key': 'any' },
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${simulator.url}${path}`, { method: 'POST', headers, body: text });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const say = (text: string, more: object = {}): object => ({ contents: [{ role: 'user', parts: [{ text }] }], ...more });
const generate = (text: string, more: object = {}): Promise<Answer> => post(`${PATH}:generateContent`, say(text, more));

describe('an answer', () => {
  it('has a candidate, its reason, the model and what it cost', async () => {
    const { status, body } = await generate(QUESTION, { generationConfig: { responseMimeType: 'application/json' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      candidates: [
        {
          content: { role: 'model', parts: [{ text: expect.stringContaining('contradict') }] },
          finishReason: 'STOP',
          index: 0,
        },
      ],
      modelVersion: MODEL,
      responseId: expect.stringMatching(/^sim_/),
    });
    const { promptTokenCount, candidatesTokenCount, thoughtsTokenCount, totalTokenCount } =
      body.usageMetadata as Record<string, number>;
    const counted = await post(`${PATH}:countTokens`, say(QUESTION));
    expect(promptTokenCount).toBe(counted.body.totalTokens);
    expect(totalTokenCount).toBe((promptTokenCount ?? 0) + (candidatesTokenCount ?? 0) + (thoughtsTokenCount ?? 0));
  });

  it('is cut at maxOutputTokens', async () => {
    const { body } = await generate(QUESTION, { generationConfig: { maxOutputTokens: 10 } });
    expect(body).toMatchObject({ candidates: [{ finishReason: 'MAX_TOKENS' }] });
    const usage = body.usageMetadata as Record<string, number>;
    expect((usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0)).toBe(10);
  });

  it('is refused, empty or cut where the question’s markers say so', async () => {
    const ask = async (marker: string) => (await generate(QUESTION.replace('?<', `? ${marker}<`))).body;
    expect(await ask('[[blocked]]')).toMatchObject({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } });
    expect(await ask('[[blocked]]')).not.toHaveProperty('candidates');
    expect(await ask('[[cut]]')).toMatchObject({ candidates: [{ finishReason: 'MAX_TOKENS' }] });
    expect(await ask('[[empty]]')).toMatchObject({
      candidates: [{ content: { role: 'model' }, finishReason: 'STOP' }],
    });
  });

  it('streams in pieces through both SDKs, each with the cost so far, and the reason in the last', async () => {
    const old = new GoogleGenerativeAI('any').getGenerativeModel({ model: MODEL }, { baseUrl: simulator.url });
    const whole = (await old.generateContent(QUESTION)).response.text();
    const { stream } = await old.generateContentStream(QUESTION);
    const pieces = [];
    for await (const chunk of stream) pieces.push(chunk);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.map((piece) => piece.text()).join('')).toBe(whole);
    const counts = pieces.map((piece) => piece.usageMetadata?.candidatesTokenCount ?? 0);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(pieces.map((piece) => piece.candidates?.[0]?.finishReason)).toEqual([undefined, undefined, 'STOP']);

    const client = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: simulator.url } });
    let streamed = '';
    for await (const chunk of await client.models.generateContentStream({ model: MODEL, contents: QUESTION })) {
      streamed += chunk.text ?? '';
    }
    expect(streamed).toBe(whole);
  });

  it('streams as a list where nobody asks for server-sent events', async () => {
    const { body } = await post(`${PATH}:streamGenerateContent`, say(QUESTION));
    expect(body).toHaveLength(3);
  });
});

describe('a key', () => {
  it('comes in a header or in the address, and belongs to a project', async () => {
    simulator.gemini.configure({ projects: { one: 'p', two: 'p' } });
    await post(`${PATH}:generateContent?key=one`, say('hello'), {});
    await post(`${PATH}:generateContent`, say('hello'), { 'x-goog-api-key': 'two' });
    await post(`${PATH}:generateContent`, say('hello'), { 'x-goog-api-key': 'three' });
    const counts = simulator.gemini.counts();
    expect(counts.map(({ project, accepted }) => [project, accepted])).toEqual([
      ['p', 2],
      [expect.stringMatching(/^project-of-/), 1],
    ]);
  });

  it('is refused in the provider’s words when it is missing or wrong', async () => {
    simulator.gemini.configure({ acceptKeys: ['good'] });
    expect(await post(`${PATH}:generateContent`, say('hello'), {})).toMatchObject({
      status: 403,
      body: { error: { status: 'PERMISSION_DENIED', message: expect.stringContaining('unregistered callers') } },
    });
    expect(await post(`${PATH}:generateContent`, say('hello'))).toMatchObject({
      status: 400,
      body: { error: { status: 'INVALID_ARGUMENT', details: [{ reason: 'API_KEY_INVALID' }, {}] } },
    });
  });
});

describe('a request that is wrong', () => {
  it.each([
    ['no JSON', '{', /Invalid JSON payload/],
    ['no contents', {}, /contents is not specified/],
    ['an unknown field', say('x', { content: 1 }), /Unknown name "content"/],
    [
      'an unknown setting',
      say('x', { generationConfig: { maxTokens: 1 } }),
      /Unknown name "maxTokens" at 'generation_config'/,
    ],
    ['an unknown role', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }, /valid role/],
    [
      'a schema without its media type',
      say('x', { generationConfig: { responseSchema: { type: 'OBJECT' } } }),
      /response_mime_type/,
    ],
    [
      'a JSON Schema where the API wants its own',
      say('x', {
        generationConfig: {
          responseMimeType: 'application/json',
          responseSchema: { type: 'OBJECT', additionalProperties: false },
        },
      }),
      /Unknown name "additionalProperties"/,
    ],
    [
      'a prompt no window holds',
      say('x'.repeat(4_500_000)),
      /exceeds the maximum number of tokens allowed \(1000000\)/,
    ],
  ])('is a 400: %s', async (_what, body, message) => {
    expect(await post(`${PATH}:generateContent`, body)).toMatchObject({
      status: 400,
      body: { error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringMatching(message) } },
    });
    expect(simulator.gemini.counts()).toEqual([]);
  });

  it('is a 404 for an unknown model or path', async () => {
    expect(await post('/v1beta/models/gemini-0:generateContent', say('x'))).toMatchObject({ status: 404 });
    expect(await post(`${PATH}:embedContent`, say('x'))).toMatchObject({
      status: 404,
      body: { error: { status: 'NOT_FOUND' } },
    });
  });
});

describe('limits', () => {
  it('refuse the sixteenth request of a minute', async () => {
    const statuses = [];
    for (let i = 0; i < 16; i++) statuses.push((await generate('hello')).status);
    expect(statuses).toEqual([...Array.from({ length: 15 }, () => 200), 429]);
    expect(simulator.gemini.counts()).toMatchObject([{ accepted: 15, refused: 1, mostInWindow: 15 }]);
  });

  it('let a day pass in a moment on a fast clock', async () => {
    const justBefore = Date.UTC(2026, 10, 22, 8) - 60_000;
    simulator.gemini.configure({ limits: { all: { rpd: 1 } }, clock: { at: justBefore } });
    expect((await generate('hello')).status).toBe(200);
    expect((await generate('hello')).status).toBe(429);
    simulator.gemini.configure({ clock: { speed: 1_000 } });
    await waitUntil(async () => (await generate('hello')).status === 200);
    expect(simulator.gemini.counts()[0]?.byDay).toEqual({ '2026-11-21': 1, '2026-11-22': 1 });
  });

  it('count what failed with a 500 but not what was refused', async () => {
    simulator.gemini.configure({ faults: [{ kind: 'overloaded', times: 1 }] });
    expect((await generate('hello')).status).toBe(503);
    expect(simulator.gemini.counts()).toMatchObject([{ accepted: 1 }]);
    expect(simulator.gemini.served().calls).toBe(0);
  });
});

describe('faults', () => {
  it('hit the project and prompt they are meant for', async () => {
    simulator.gemini.configure({
      projects: { any: 'p' },
      faults: [
        { kind: 'permission', when: { project: 'q' } },
        { kind: 'overloaded', when: { promptIncludes: 'secret', nth: 2 } },
      ],
    });
    expect(
      [await generate('secret'), await generate('other'), await generate('secret')].map(({ status }) => status),
    ).toEqual([200, 200, 503]);
  });

  it('leave a record of who hung up', async () => {
    simulator.gemini.configure({ faults: [{ kind: 'hung' }] });
    const impatient = AbortSignal.timeout(100);
    const init = {
      method: 'POST',
      headers: { 'x-goog-api-key': 'any' },
      body: JSON.stringify(say('hi')),
      signal: impatient,
    };
    await expect(fetch(`${simulator.url}${PATH}:generateContent`, init)).rejects.toThrow();
    await waitUntil(() => simulator.gemini.requests()[0]?.clientGone === true);
    expect(simulator.gemini.requests()[0]).toMatchObject({ status: null, served: true, fault: 'hung', model: MODEL });
  });
});

it('lists its models', async () => {
  const response = await fetch(`${simulator.url}/v1beta/models?key=any`);
  expect(await response.json()).toMatchObject({
    models: expect.arrayContaining([expect.objectContaining({ name: `models/${MODEL}` })]),
  });
});

it('is steered and read over HTTP, and refuses a wrong configuration whole', async () => {
  const control = async (path: string): Promise<unknown> =>
    (await fetch(`${simulator.url}/__simulator/gemini/${path}`)).json();
  expect(
    await post('/__simulator/gemini/config', { projects: { any: 'p' }, faults: [{ kind: 'overloaded', times: 1 }] }),
  ).toMatchObject({ status: 200 });
  expect(await post('/__simulator/gemini/config', { projects: {}, faults: [{ kind: 'earthquake' }] })).toMatchObject({
    status: 400,
  });
  expect((await generate('hello')).status).toBe(503);
  expect((await generate('hello')).status).toBe(200);
  expect(await control('requests')).toMatchObject([
    { status: 503, project: 'p' },
    { status: 200, project: 'p', served: true },
  ]);
  expect(await control('counts')).toMatchObject([{ project: 'p', model: MODEL, accepted: 2 }]);
  expect(await control('served')).toMatchObject({ calls: 1 });
  expect(simulator.anthropic.requests()).toEqual([]);
});
