import { expect, it } from 'vitest';
import { createStoreRedactor } from '../../../src/config/redact.ts';
import type { Model, ModelReply } from '../../../src/models/model.ts';
import { withoutSecrets } from '../../../src/models/redacted-model.ts';

const SECRET = 'correct-horse-battery-staple-42';
const text = (words: string) => ({ type: 'text', text: words });
const use = { type: 'tool_use', id: 'toolu_1', name: 'read', input: { file_path: 'a.txt' } };
const thinking = { type: 'thinking', thinking: `it is ${SECRET}`, signature: 's' };

async function clean(content: readonly object[]): Promise<ModelReply> {
  const usage = { input: 1, cache_write: 0, cache_read: 0, output: 1 };
  const reply = { id: 'msg_1', model: 'claude-haiku-5-5', content, stopReason: 'end_turn', usage } as never;
  const model: Model = { call: async () => reply, countTokens: async () => null };
  return withoutSecrets(model, createStoreRedactor([SECRET])).call({} as never, {} as never);
}

it.each([
  ['in one text', [text(`it is ${SECRET}.`)], [text('it is [redacted].')]],
  ['cut between two texts', [text('it is correct-horse-'), text('battery-staple-42.')], [text('it is [redacted].')]],
  [
    'cut over three texts with a tool between them',
    [text('correct-'), use, text('horse-battery'), text('-staple-42')],
    [text('[redacted]'), use],
  ],
  ['in thinking, which goes', [thinking, text('done')], [text('done')]],
])('a secret %s is not in the reply', async (_, content, expected) => {
  expect((await clean(content)).content).toEqual(expected);
});

it('texts without a secret stay apart', async () => {
  const content = [text('correct-horse-'), text('shoe')];
  expect((await clean(content)).content).toEqual(content);
});
