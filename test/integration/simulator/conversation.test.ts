import { execFile } from 'node:child_process';
import { foundFindings } from '../../support/found-findings.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createToolset } from '../../../src/haiku/toolset.ts';
import { type AnthropicSimulator, startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

const execute = promisify(execFile);
let simulator: AnthropicSimulator;
let workspace: ToolWorkspace;

beforeEach(async () => {
  simulator = await startAnthropicSimulator({ latencyMs: 0 });
  workspace = await createToolWorkspace({ runAllow: ['node'], httpAllow: [`127.0.0.1:${simulator.port}`] });
  await workspace.put(
    'src/adder.ts',
    '/** Adds numbers. Never overflows. */\nexport function add(a: number, b: number): number {\n  return a + b; // TODO check\n}\nexport const ZERO = 0;\n',
  );
  await workspace.put('src/other.ts', "import { add } from '../adder.ts';\n// TODO more\nconsole.log(add(1, 2));\n");
  await workspace.put('README.md', '# The adder\n\nIt adds.\n');
});

afterEach(async () => {
  await simulator.close();
});

describe('a task over a real folder', () => {
  it('describes a file by its lines, exports and opening comment in two turns', async () => {
    const { text, turns } = await converse({ description: 'Describe src/adder.ts.' });
    expect(turns).toBe(2);
    expect(text).toContain('src/adder.ts: TypeScript, 5 lines, exports `add`, `ZERO`');
    expect(text).toContain('“Adds numbers.”');
    expect(text.endsWith('(simulated model)')).toBe(true);
  });

  it('lists the folder and reads some files when the task names none', async () => {
    const { text, turns } = await converse({ description: 'What is in here?' });
    expect(turns).toBe(3);
    expect(text).toContain('3 files match `**/*` (2 .ts, 1 .md); 3 read.');
    expect(text).toContain('README.md: Markdown, 3 lines, headed “The adder”');
  });

  it('counts the lines of the listed files', async () => {
    const { text } = await converse({
      description: 'Count the lines of each file.',
      files: ['src/adder.ts', 'README.md'],
    });
    expect(text).toContain('8 lines in 2 files.\n- src/adder.ts: 5 lines\n- README.md: 3 lines');
  });

  it('counts the lines of a file too large for one read', async () => {
    await workspace.put('large.txt', `${'x'.repeat(199)}\n`.repeat(1_234));
    const { text } = await converse({ description: 'How many lines does large.txt have?' });
    expect(text).toContain('1234 lines in 1 file.');
  });

  it('counts TODOs by grep', async () => {
    const { text } = await converse({ description: 'How many TODO comments are in src/?' });
    expect(text).toContain('`TODO` occurs 2 times on 2 lines in 2 files.');
  });

  it('finds a name as path and line', async () => {
    const { text } = await converse({ description: 'Find where "ZERO" is defined.' });
    expect(text).toContain('src/adder.ts:5: export const ZERO = 0;');
  });

  it('lists files of a pattern', async () => {
    const { text } = await converse({ description: 'List the files matching src/*.ts' });
    expect(text).toContain('2 files match src/*.ts.\n- src/adder.ts\n- src/other.ts');
  });

  it('creates a file with the given text', async () => {
    const { text } = await converse({ description: 'Create NOTES.md with text "hello there"' });
    expect(await readFile(join(workspace.root, 'NOTES.md'), 'utf8')).toBe('hello there\n');
    expect(text).toContain('Wrote NOTES.md: "hello there"');
  });

  it('appends to a file without losing what it holds', async () => {
    await converse({ description: "Append the line 'The end.' to README.md" });
    expect(await readFile(join(workspace.root, 'README.md'), 'utf8')).toBe('# The adder\n\nIt adds.\nThe end.\n');
  });

  it('writes a summary of one file into another', async () => {
    await converse({ description: 'Write a summary of src/adder.ts to docs/adder.md' });
    expect(await readFile(join(workspace.root, 'docs/adder.md'), 'utf8')).toContain('exports `add`, `ZERO`');
  });

  it.each([
    'Write docs for src/adder.ts',
    'Document src/adder.ts',
    'Document the functions in src/adder.ts',
    'Write a summary of the file src/adder.ts',
    'Describe what src/adder.ts adds',
  ])('leaves the file as it is when it only writes about it: %s', async (description) => {
    const { calls, text } = await converse({ description });
    expect(calls.map(({ name }) => name)).toEqual(['read']);
    expect(text).toContain('exports `add`, `ZERO`');
  });

  it('replaces every occurrence in a file', async () => {
    const { text } = await converse({ description: 'Replace "add" with "plus" in src/other.ts' });
    expect(await readFile(join(workspace.root, 'src/other.ts'), 'utf8')).toContain(
      "import { plus } from '../pluser.ts'",
    );
    expect(text).toContain('Replaced `add` with `plus` 3 times in src/other.ts.');
  });

  it('says that a file does not exist instead of inventing it', async () => {
    const { text } = await converse({ description: 'Summarise missing.ts' });
    expect(text).toMatch(/missing\.ts could not be read: .*/);
  });

  it('hands a strategic question back with a reason of the contract', async () => {
    const { calls } = await converse({ description: 'Decide the architecture of the new billing system.' });
    expect(calls[0]).toMatchObject({ name: 'hand_back', input: { reason: 'multi-step architectural decisions' } });
  });
});

describe('the other tools', () => {
  it('commits what it wrote, and reads the log', async () => {
    const repository = { cwd: workspace.root };
    await execute('git', ['init', '-q'], repository);
    const { text } = await converse({ description: 'Create NOTES.md with text "hello" and commit it as "Add notes"' });
    expect(text).toMatch(/Wrote NOTES\.md: "hello"\nCommitted “Add notes” as [0-9a-f]{7}/);
    const { stdout } = await execute('git', ['show', '--stat', '--format=%s'], repository);
    expect(stdout).toMatch(/Add notes\n\n NOTES\.md \| 1 \+/);
    expect((await converse({ description: 'Show the git log.', kind: 'git' })).text).toMatch(/[0-9a-f]{7} Add notes/);
  });

  it('runs a command and tells its exit code', async () => {
    const { text } = await converse({ description: 'Run `node --eval "process.exit(3)"`' });
    expect(text).toContain('failed with exit code 3');
  });

  it('checks an address', async () => {
    const { text } = await converse({ description: `Check the endpoint ${simulator.url}/nothing`, kind: 'api-test' });
    expect(text).toContain(`GET ${simulator.url}/nothing answered 401.`);
    expect(text).toContain('authentication_error');
  });

  it('transforms rows of a file into another', async () => {
    await workspace.put('tea.csv', 'name,price\ngreen,3\nblack,12\nwhite,20\n');
    await converse({ description: 'Convert tea.csv to tea.json, sorted by price descending, where price > 5' });
    const rows: unknown = JSON.parse(await readFile(join(workspace.root, 'tea.json'), 'utf8'));
    expect(rows).toMatchObject([{ name: 'white' }, { name: 'black' }]);
  });

  it('transforms the data of the task', async () => {
    const data = [{ kind: 'a' }, { kind: 'b' }, { kind: 'a' }];
    const { text } = await converse({ description: 'Count the rows by kind.', kind: 'transform', data });
    expect(text).toMatch(/"kind": "a",\s+"count": 2/);
  });

  it('cites the findings it read', async () => {
    workspace.context.findings = {
      find: () =>
        Promise.resolve(foundFindings({ id: 'tea-1', summary: 'Tea is hot', at: '2026-11-20T10:00:00.000Z' })),
      get: (id) => Promise.resolve({ finding_id: id, result: 'Tea is hot, at 95 degrees.' }),
    };
    const { text } = await converse({ description: 'What do earlier findings say about tea?' });
    expect(text).toContain('[tea-1]');
    expect(text).toContain('95 degrees');
    expect([...workspace.context.state.citations]).toEqual(['tea-1']);
  });
});

describe('a result with a schema', () => {
  const schema = {
    type: 'object',
    properties: {
      file: { type: 'string' },
      lines: { type: 'integer', minimum: 1 },
      exports: { type: 'array', items: { type: 'string' } },
      summary: { type: 'string' },
    },
    required: ['file', 'lines', 'exports', 'summary'],
    additionalProperties: false,
  };

  it('is JSON with true values by property name', async () => {
    const { text } = await converse({ description: 'Describe src/adder.ts', schema });
    expect(JSON.parse(text)).toMatchObject({ file: 'src/adder.ts', lines: 5, exports: ['add', 'ZERO'] });
  });

  it('is broken once on demand and repaired when told so', async () => {
    const { text, messages, tools } = await converse({
      description: 'Describe src/adder.ts [[bad-schema-once]]',
      schema,
    });
    expect(JSON.parse(text)).not.toHaveProperty('lines');
    const repaired = await client().messages.create({
      model: 'claude-haiku-5-5',
      max_tokens: 1_000,
      tools,
      messages: [...messages, { role: 'user', content: 'Your result does not fit the schema: lines is missing' }],
    });
    expect(JSON.parse(toText(repaired))).toMatchObject({ lines: 5 });
  });
});

describe('directives', () => {
  it.each([1, 2, 5, 9])('[[turns:%i]] makes exactly so many model calls', async (wanted) => {
    const { turns } = await converse({ description: `Describe src/adder.ts [[turns:${wanted}]]` });
    expect(turns).toBe(wanted);
    expect(simulator.served().calls).toBe(wanted);
  });

  it('[[tokens:N]] makes the answer about N tokens long', async () => {
    const { last } = await converse({ description: 'Describe README.md [[tokens:500]]' });
    const said = last.usage.output_tokens - (last.usage.output_tokens_details?.thinking_tokens ?? 0);
    expect(said).toBeGreaterThan(480);
    expect(said).toBeLessThan(540);
  });

  it('[[refuse]] ends with a refusal and no content', async () => {
    const { last } = await converse({ description: 'Describe README.md [[refuse]]' });
    expect(last).toMatchObject({ stop_reason: 'refusal', content: [] });
  });
});

it('gives the same reply and id to the same request, and another request id', async () => {
  const ask = () =>
    client().messages.create({
      model: 'claude-haiku-5-5',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Hello' }],
    });
  const [first, second] = [await ask(), await ask()];
  expect(first.id).toMatch(/^msg_sim_[0-9a-f]{24}$/);
  expect(second).toEqual(first);
  expect(second._request_id).not.toBe(first._request_id);
});

interface TaskText {
  description: string;
  kind?: string;
  files?: string[];
  data?: unknown;
  schema?: object;
}

/** Acts as the worker: sends the task and runs the tools on the folder until the model is done. */
async function converse(task: TaskText) {
  const { runAllow, httpAllow } = workspace.context;
  const tools = createToolset({ workspace: true, runAllow, httpAllow }).definitions;
  const parts = [`<task kind="${task.kind ?? 'other'}" workspace="site">\n${task.description}\n</task>`];
  if (task.files !== undefined) parts.push(`<files>\n${task.files.join('\n')}\n</files>`);
  if (task.data !== undefined) parts.push(`<data>\n${JSON.stringify(task.data)}\n</data>`);
  if (task.schema !== undefined) parts.push(`<schema>\n${JSON.stringify(task.schema)}\n</schema>`);
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: parts.join('\n') }];
  const calls: Anthropic.ToolUseBlock[] = [];
  for (let turns = 1; ; turns++) {
    const last = await client().messages.create({ model: 'claude-haiku-5-5', max_tokens: 4_000, tools, messages });
    messages.push({ role: 'assistant', content: last.content as Anthropic.ContentBlockParam[] });
    if (last.stop_reason !== 'tool_use') return { last, turns, messages, calls, tools, text: toText(last) };
    const results: Anthropic.ToolResultBlockParam[] = [];
    for (const block of last.content) {
      if (block.type !== 'tool_use') continue;
      calls.push(block);
      const { content, isError } = await workspace.use(block.name, block.input);
      results.push({ type: 'tool_result', tool_use_id: block.id, content, is_error: isError });
    }
    messages.push({ role: 'user', content: results });
  }
}

function toText(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function client(): Anthropic {
  return new Anthropic({ apiKey: 'simulated', baseURL: simulator.url, maxRetries: 0 });
}
