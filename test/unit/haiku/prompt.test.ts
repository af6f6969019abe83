import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  EMPTY_NOTICE,
  LAST_TURN_NOTICE,
  PROMPT_VERSION,
  THREE_TURNS_NOTICE,
  toRepairMessage,
  toSystemBlocks,
  toTaskMessage,
} from '../../../src/haiku/loop/prompt.ts';

it('has a version of its own for every wording', () => {
  const wording = [
    toSystemBlocks([])[0]?.text,
    toTaskMessage({ description: 'x' }),
    toRepairMessage('x'),
    THREE_TURNS_NOTICE,
    LAST_TURN_NOTICE,
    EMPTY_NOTICE,
  ].join('\n');
  const digest = createHash('sha256').update(wording).digest('hex').slice(0, 12);
  // A change of the text needs a new PROMPT_VERSION, because findings name theirs.
  expect({ version: PROMPT_VERSION, digest }).toEqual({ version: 'task-4', digest: '4311914470c3' });
});

// See the same test of the toolset: a request is one string.
it('is worded in Latin-1', () => {
  const text = [toSystemBlocks([])[0]?.text, toTaskMessage({ description: 'x' }), toRepairMessage('x')].join();
  expect(text.match(/[\u0100-\uffff]/g)).toBe(null);
});

it('sends the same system blocks, byte for byte, with every task without contexts', () => {
  expect(toSystemBlocks([])).toBe(toSystemBlocks([]));
  expect(toSystemBlocks([])).toHaveLength(1);
});

it('sends contexts in their order under one cache mark, on the last', () => {
  const blocks = toSystemBlocks([
    { name: 'history', text: 'It began.' },
    { name: 'notes', text: 'It goes on.' },
  ]);
  expect(blocks.map((block) => [block.text.slice(0, 23), block.cache_control?.type])).toEqual([
    [toSystemBlocks([])[0]?.text.slice(0, 23), undefined],
    ['<context name="history"', undefined],
    ['<context name="notes">\n', 'ephemeral'],
  ]);
});

it('tells the task, what it is about, its data and the shape of its result', () => {
  const schema = { type: 'object' };
  expect(
    toTaskMessage({ description: 'Count', kind: 'file', workspace: 'site', files: ['a', 'b'], data: { n: 1 }, schema }),
  ).toBe(
    `<task kind="file" workspace="site">\nCount\n</task>\n<files>\na\nb\n</files>\n<data>\n{"n":1}\n</data>\n<schema>\n{"type":"object"}\n</schema>`,
  );
  expect(toTaskMessage({ description: 'Count', files: [], data: null })).toBe(
    '<task kind="other">\nCount\n</task>\n<data>\nnull\n</data>',
  );
});
