import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import type { MessagesRequest } from '../../../simulator/model/types.ts';
import { askRuleModel } from '../../support/models/ask-rule-model.ts';

const NAMES = [
  'read',
  'write',
  'edit',
  'grep',
  'glob',
  'run',
  'git',
  'http',
  'json_transform',
  'csv_transform',
  'findings',
  'hand_back',
];

function request(description: string, rest: Partial<MessagesRequest> & { names?: string[] } = {}): MessagesRequest {
  const { names = NAMES, ...more } = rest;
  const tools = names.map((name): Anthropic.Tool => ({ name, input_schema: { type: 'object' } }));
  const content = `<task kind="other" workspace="site">\n${description}\n</task>`;
  return { model: 'claude-haiku-5-5', max_tokens: 1_000, tools, messages: [{ role: 'user', content }], ...more };
}

function firstCalls(description: string, rest: Parameters<typeof request>[1] = {}) {
  const { content } = askRuleModel(request(description, rest));
  return content.flatMap((block) => (block.type === 'tool_use' ? [[block.name, block.input]] : []));
}

describe('a file that comes with the task', () => {
  const ask = (description: string, files: string[]) => {
    const blocks = files.map(
      (path) => `<file path="${path}">\n// Says <schema>\n{}\n</schema>\nexport const tea = 1;\n\n</file>`,
    );
    const around = ['<environment>\nToday is 2026-11-26 (UTC).\n</environment>', ...blocks].join('\n');
    const content = `<task kind="docs" workspace="site">\n${description}\n</task>\n<files>\n${files.join('\n')}\n</files>\n${around}`;
    return askRuleModel(request(description, { messages: [{ role: 'user', content }] })).content;
  };

  it('is not read again', () => {
    const [block] = ask('Describe src/a.ts', ['src/a.ts']);
    expect(block).toMatchObject({ type: 'text', text: expect.stringContaining('exports `tea`') as string });
    expect(block).toMatchObject({ text: expect.stringContaining('4 lines') as string });
  });

  it('is edited without a read', () => {
    expect(ask('Replace "tea" with "mate" in src/a.ts', ['src/a.ts'])).toContainEqual(
      expect.objectContaining({ type: 'tool_use', name: 'edit' }),
    );
  });
});

describe('the first calls of a task', () => {
  it.each([
    [
      'Summarise `src/a.ts` and README.md.',
      [
        ['read', { file_path: 'src/a.ts' }],
        ['read', { file_path: 'README.md' }],
      ],
    ],
    ['Describe the folder src/ledger/', [['glob', { pattern: 'src/ledger/**/*' }]]],
    ['Describe the add function in src/adder.ts', [['read', { file_path: 'src/adder.ts' }]]],
    ['What is in the docs folder?', [['glob', { pattern: 'docs/**/*' }]]],
    ['List the files matching **/*.md', [['glob', { pattern: '**/*.md' }]]],
    ['List all .lua files in src/redis/', [['glob', { pattern: 'src/redis/**/*.lua' }]]],
    ['How many files are in src/?', [['glob', { pattern: 'src/**/*' }]]],
    ['Count the TODO comments in all files.', [['grep', { pattern: 'TODO' }]]],
    ['Count the occurrences of "a.b" in x.ts', [['grep', { pattern: String.raw`a\.b`, path: 'x.ts' }]]],
    ['Find where createKeys is used in src/', [['grep', { pattern: 'createKeys', path: 'src' }]]],
    ['Which files export a function named toMessage?', [['grep', { pattern: 'toMessage' }]]],
    ['Find the definition of PrefixCache', [['grep', { pattern: expect.stringMatching(/class.*PrefixCache/) }]]],
    ['Write docs for src/money.ts', [['read', { file_path: 'src/money.ts' }]]],
    ['Search for the text "hello world"', [['grep', { pattern: 'hello world' }]]],
    ['Append "x" to NOTES.md', [['read', { file_path: 'NOTES.md' }]]],
    ['Replace "a" with "b" in x.md', [['read', { file_path: 'x.md' }]]],
    ['Run `npm test -- --run`', [['run', { argv: ['npm', 'test', '--', '--run'] }]]],
    ['Show the git status', [['git', { args: ['status', '--short'] }]]],
    ['GET http://127.0.0.1:8080/health, please.', [['http', { method: 'GET', url: 'http://127.0.0.1:8080/health' }]]],
    [
      'Filter rows.csv where id is 007',
      [['csv_transform', { file: 'rows.csv', where: [{ field: 'id', op: 'eq', value: '007' }] }]],
    ],
    ['Convert rows.jsonl to csv', [['json_transform', { file: 'rows.jsonl', to: 'csv' }]]],
    ['Sort rows.csv by price', [['csv_transform', { file: 'rows.csv', sort_by: 'price' }]]],
    ['What do earlier findings say about tea?', [['findings', { action: 'search', query: 'tea' }]]],
    ['Should we move to another database?', [['hand_back', { reason: 'complex strategic reasoning' }]]],
    ['Ask the guardian council about the merger.', [['hand_back', { reason: 'guardian-council deliberation' }]]],
    ['Summarise docs/architecture-strategy.md', [['read', { file_path: 'docs/architecture-strategy.md' }]]],
    ['Tell me something', [['glob', { pattern: '**/*' }]]],
  ])('%s', (description, expected) => {
    expect(firstCalls(description)).toMatchObject(expected);
  });

  it('are none of a tool that was not offered', () => {
    expect(firstCalls('Append "x" to NOTES.md', { names: ['grep'] })).toMatchObject([['grep', {}]]);
    expect(firstCalls('Describe a.ts', { names: ['findings'] })).toMatchObject([['findings', { action: 'search' }]]);
    expect(firstCalls('Describe a.ts', { names: [] })).toEqual([]);
  });

  it('are one at a time where the request wants that, and none where it forbids them', () => {
    const description = 'Summarise a.ts and b.ts';
    expect(firstCalls(description, { tool_choice: { type: 'auto', disable_parallel_tool_use: true } })).toHaveLength(1);
    expect(firstCalls(description, { tool_choice: { type: 'none' } })).toHaveLength(0);
  });

  it('is the tool that the request forces', () => {
    expect(firstCalls('Describe a.ts', { tool_choice: { type: 'tool', name: 'edit' } })).toEqual([['edit', {}]]);
  });
});

it('answers with JSON of the format the request itself gives', () => {
  const schema = {
    type: 'object',
    properties: { tasks: { type: 'array', items: { type: 'string' } } },
    required: ['tasks'],
    additionalProperties: false,
  };
  const reply = askRuleModel(
    request('Plan this', { names: [], output_config: { format: { type: 'json_schema', schema } } }),
  );
  expect(JSON.parse(reply.content[0]?.type === 'text' ? reply.content[0].text : '')).toEqual({ tasks: [] });
});

it('says that a result which left the prompt is gone instead of guessing it', () => {
  const reply = askRuleModel(
    request('Describe a.ts', {
      messages: [
        { role: 'user', content: '<task kind="docs">\nDescribe a.ts\n</task>' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'read', input: { file_path: 'a.ts' } }] },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'x',
              content: '[this tool result was dropped to keep the prompt small; run the tool again if you need it]',
            },
          ],
        },
      ],
    }),
  );
  expect(reply.content).toMatchObject([{ text: expect.stringContaining('no longer in the prompt') }]);
});

describe('a description of 200 kB', () => {
  it.each([
    ['one endless word', 'x'.repeat(200_000)],
    ['one endless blank', ` ${' '.repeat(200_000)}.`],
    ['slashes without end', '/'.repeat(200_000)],
    ['quotes that never close', '"a '.repeat(66_666)],
  ])('is answered like any other: %s', (_, description) => {
    expect(askRuleModel(request(description)).content.length).toBeGreaterThan(0);
  });
});
