import { type Content, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { LLMock } from '@copilotkit/aimock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GeminiSimulator, startGeminiSimulator } from '../../../simulator/gemini/server.ts';

const MODEL = 'gemini-3.5-flash-lite';
const JSON_TEXT = JSON.stringify({ path: 'src/a.ts', lines: [1, 2, 3], at: '2026-11-20T10:00:00.000Z' });
let simulator: GeminiSimulator;

beforeEach(async () => {
  simulator = await startGeminiSimulator({ rules: 'real', latencyMs: 0, limits: { all: {} } });
});

afterEach(() => simulator.close());

describe('tokens', () => {
  it('are counted by countTokens as generateContent counts and bills them', async () => {
    const request = {
      contents: [{ role: 'user', parts: [{ text: `${JSON_TEXT} アップロード` }] }],
      systemInstruction: { parts: [{ text: 'Answer.' }] },
      tools: [{ functionDeclarations: [{ name: 'read', description: 'Reads a file.' }] }],
    };
    const counted = await post('countTokens', { generateContentRequest: { model: `models/${MODEL}`, ...request } });
    const { usageMetadata } = (await post('generateContent', request)).body;
    expect(counted.body.totalTokens).toBe(usageMetadata?.promptTokenCount);
    expect(simulator.requests().at(-1)?.usage?.input).toBe(usageMetadata?.promptTokenCount);
  });

  it('of a prompt that no window holds are told with the window', async () => {
    const text = JSON_TEXT.repeat(Math.ceil(3_000_000 / JSON_TEXT.length)); // 750,000 tokens to one who divides by four
    const { totalTokens } = (await post('countTokens', say(text))).body;
    const refused = await post('generateContent', say(text));
    expect(refused.status).toBe(400);
    expect(refused.body.error).toMatchObject({
      status: 'INVALID_ARGUMENT',
      message: `The input token count (${totalTokens}) exceeds the maximum number of tokens allowed (1000000).`,
    });
    expect(totalTokens).toBeGreaterThan(1_000_000);
    expect(simulator.served().calls).toBe(0);
  });
});

describe('thinking', () => {
  it('counts into the limit and the bill, and can leave no room for a text', async () => {
    const open = (await post('generateContent', say('hello'))).body.usageMetadata;
    expect(open?.thoughtsTokenCount).toBeGreaterThanOrEqual(12);
    expect(simulator.requests()[0]?.usage?.output).toBe(
      (open?.thoughtsTokenCount ?? 0) + (open?.candidatesTokenCount ?? 0),
    );
    const { body } = await post('generateContent', { ...say('hello'), generationConfig: { maxOutputTokens: 10 } });
    expect(body.candidates).toEqual([{ content: { role: 'model' }, finishReason: 'MAX_TOKENS', index: 0 }]);
    expect(body.usageMetadata).toMatchObject({ thoughtsTokenCount: 10 });
    expect(body.usageMetadata).not.toHaveProperty('candidatesTokenCount');
  });

  it('is not done by 2.5 models that have no budget for it', async () => {
    const { body } = await post('generateContent', say('hello'), 'gemini-2.5-flash-lite');
    expect(body.usageMetadata).not.toHaveProperty('thoughtsTokenCount');
  });
});

describe('a function call', () => {
  const config = {
    tools: [
      {
        functionDeclarations: [
          {
            name: 'read',
            parameters: { type: Type.OBJECT, properties: { path: { type: Type.STRING } }, required: ['path'] },
          },
        ],
      },
    ],
  };
  const question: Content = { role: 'user', parts: [{ text: 'How long is a.txt?' }] };
  /** Answers each call, with the id that it came with. */
  const answerTo = ({ parts = [] }: Content): Content => ({
    role: 'user',
    parts: parts.map(({ functionCall }) => {
      const id = functionCall?.id;
      return { functionResponse: { name: 'read', response: { lines: 3 }, ...(id !== undefined && { id }) } };
    }),
  });

  async function call(model = MODEL): Promise<Content> {
    const reply = await client().models.generateContent({ model, contents: [question], config });
    return reply.candidates?.[0]?.content ?? {};
  }
  const tell = (content: Content, model = MODEL) =>
    client().models.generateContent({ model, contents: [question, content, answerTo(content)], config });

  it('comes with a signature and goes back with it', async () => {
    const called = await call();
    expect(called.parts).toEqual([
      {
        functionCall: { id: expect.stringMatching(/./), name: 'read', args: { path: expect.any(String) } },
        thoughtSignature: expect.stringMatching(/./),
      },
    ]);
    expect((await tell(called)).text).toContain('simulated');
  });

  it('is refused without its signature, or with another one', async () => {
    const [part] = (await call()).parts ?? [];
    const { thoughtSignature, ...bare } = part ?? {};
    await expect(tell({ role: 'model', parts: [bare] })).rejects.toThrow(
      /Function call is missing a thought_signature in functionCall parts.*`default_api:read` , position 2/,
    );
    const edited = {
      functionCall: { name: 'read', args: { path: 'b.txt' } },
      thoughtSignature: thoughtSignature ?? '',
    };
    await expect(tell({ role: 'model', parts: [edited] })).rejects.toThrow(/Corrupted thought signature/);
    expect(simulator.requests().map(({ status }) => status)).toEqual([200, 400, 400]);
  });

  it('needs one only in the current turn, and of parallel ones only the first', async () => {
    const called = await call();
    const [part] = called.parts ?? [];
    const bare = { functionCall: part?.functionCall ?? {} };
    const parallel: Content = { role: 'model', parts: [...(called.parts ?? []), bare] };
    await tell(parallel);
    const bareTurn: Content = { role: 'model', parts: [bare] };
    const old: Content[] = [question, bareTurn, answerTo(bareTurn), question];
    await client().models.generateContent({ model: MODEL, contents: old });
    const placeholder = { ...bare, thoughtSignature: 'skip_thought_signature_validator' };
    await tell({ role: 'model', parts: [placeholder] });
  });

  it('of a 2.5 model has none and needs none', async () => {
    const called = await call('gemini-2.5-flash-lite');
    expect(called.parts?.[0]).not.toHaveProperty('thoughtSignature');
    await tell(called, 'gemini-2.5-flash-lite');
  });

  it('of another model has a signature that this one cannot read', async () => {
    const called = await call('gemini-3.8-flash');
    await expect(tell(called)).rejects.toThrow(/Corrupted thought signature/);
  });

  it('comes several at once, each in a chunk of its own, when a task needs them', async () => {
    const declarations = ['read', 'list'].map((name) => ({
      name,
      parameters: { type: Type.OBJECT, properties: { file_path: { type: Type.STRING } } },
    }));
    const text = '<task kind="read">\nSummarise a.txt and b.txt\n</task>\n';
    const chunks = [];
    const stream = await client().models.generateContentStream({
      model: MODEL,
      contents: text,
      config: { tools: [{ functionDeclarations: declarations }] },
    });
    for await (const chunk of stream) chunks.push(chunk.candidates?.[0]);
    const parts = chunks.flatMap((chunk) => chunk?.content?.parts ?? []);
    const calls = parts.filter(({ functionCall }) => functionCall !== undefined);
    expect(calls.map(({ functionCall }) => functionCall?.args)).toEqual([
      { file_path: 'a.txt' },
      { file_path: 'b.txt' },
    ]);
    expect(calls.map(({ thoughtSignature }) => thoughtSignature !== undefined)).toEqual([true, false]);
    expect(new Set(calls.map(({ functionCall }) => functionCall?.id)).size).toBe(2);
    expect(chunks.at(-1)).toMatchObject({ finishReason: 'STOP' });
    expect(simulator.requests()[0]).toMatchObject({ tools: ['read', 'read'], turn: 0, served: true });
    const told = { role: 'model', parts };
    const reply = await client().models.generateContent({
      model: MODEL,
      contents: [
        { role: 'user', parts: [{ text }] },
        told,
        {
          role: 'user',
          parts: calls.map(({ functionCall }) => ({
            functionResponse: { ...functionCall, args: undefined, response: { output: '     1\tten words\n' } },
          })) as Content['parts'] & object,
        },
      ],
      config: { tools: [{ functionDeclarations: declarations }] },
    });
    expect(reply.text).toContain('(simulated model)');
    expect(simulator.requests()[1]).toMatchObject({ turn: 1, tools: [] });
  });

  it.each([
    ['malformed-call', 'MALFORMED_FUNCTION_CALL'],
    ['unexpected-call', 'UNEXPECTED_TOOL_CALL'],
  ] as const)('that the model spoils ends a billed reply without parts: %s', async (kind, finishReason) => {
    simulator.configure({ faults: [{ kind, when: { turn: 0 } }] });
    const reply = await client().models.generateContent({ model: MODEL, contents: [question], config });
    expect(reply.candidates).toMatchObject([{ content: { role: 'model' }, finishReason }]);
    expect(reply.candidates?.[0]?.content).not.toHaveProperty('parts');
    expect(simulator.served().calls).toBe(1);
  });

  it('is left out where the request forbids it', async () => {
    const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.NONE } };
    const reply = await client().models.generateContent({
      model: MODEL,
      contents: [question],
      config: { ...config, toolConfig },
    });
    expect(reply.functionCalls).toBeUndefined();
  });

  it('has the form that another simulated provider gives it', async () => {
    const other = new LLMock({ port: 0, host: '127.0.0.1' });
    await other.start();
    try {
      other.onMessage('How long', { toolCalls: [{ id: '', name: 'read', arguments: '{"path":""}' }] });
      const elsewhere = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: other.url } });
      const theirs = await elsewhere.models.generateContent({ model: MODEL, contents: [question], config });
      const called = (await call()).parts?.[0]?.functionCall;
      const { id: _id, ...ours } = called ?? {}; // theirs is from before Gemini 3
      expect(ours).toEqual(theirs.candidates?.[0]?.content?.parts?.[0]?.functionCall);
    } finally {
      await other.stop();
    }
  });
});

it.each([
  ['half a pair', '"\\ud83d"', 400],
  ['the other half', '"a\\udca9b"', 400],
  ['a pair', '"\\ud83d\\udca9"', 200],
  ['the text of an escape', '"\\\\ud83d"', 200],
])('%s is answered as the provider answers it', async (_what, text, status) => {
  const answer = await post('generateContent', `{"contents":[{"parts":[{"text":${text}}]}]}`);
  expect(answer.status).toBe(status);
  if (status === 400) expect(answer.body.error?.message).toContain('Invalid JSON payload received');
});

describe('a spend limit', () => {
  it('refuses a paid project for what it spent in the last ten minutes', async () => {
    simulator.configure({ projects: { any: 'p' }, paidProjects: ['p'], spendUsd: 0.000_01 });
    const statuses = async (count: number): Promise<number[]> => {
      const all = [];
      for (let i = 0; i < count; i++) all.push((await post('generateContent', say('hello'))).status);
      return all;
    };
    expect(await statuses(2)).toEqual([200, 429]);
    expect((await post('generateContent', say('hello'))).body.error).toMatchObject({ status: 'RESOURCE_EXHAUSTED' });
    simulator.configure({ clock: { at: Date.now() + 10 * 60_000 } });
    expect(await statuses(2)).toEqual([200, 429]);
    simulator.configure({ paidProjects: [] });
    expect(await statuses(2)).toEqual([200, 200]);
  });
});

it('is lenient where a test says so', async () => {
  simulator.configure({ rules: 'lenient' });
  const call = { functionCall: { name: 'read', args: {} } };
  const contents = [say('\ud83d hello').contents[0], { role: 'model', parts: [call] }];
  const { status, body } = await post('generateContent', { contents });
  expect(status).toBe(200);
  expect(body.usageMetadata?.promptTokenCount).toBeLessThan(40);
});

interface Answer {
  status: number;
  body: {
    totalTokens?: number;
    candidates?: object[];
    usageMetadata?: { promptTokenCount?: number; candidatesTokenCount?: number; thoughtsTokenCount?: number };
    error?: { status: string; message: string };
  };
}

function say(text: string): { contents: Content[] } {
  return { contents: [{ role: 'user', parts: [{ text }] }] };
}

async function post(method: string, body: object | string, model = MODEL): Promise<Answer> {
  const response = await fetch(`${simulator.url}/v1beta/models/${model}:${method}`, {
    method: 'POST',
    headers: { 'x-goog-api-key': 'any' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

function client(): GoogleGenAI {
  return new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: simulator.url } });
}
