import { array, assert, asyncProperty, nat, record, string } from 'fast-check';
import { expect, test } from 'vitest';
import { BlankEntry, UnreadableEntry } from '../../../src/tasks/batch/add.ts';
import { readEntries } from '../../../src/tasks/batch/read-entries.ts';

async function read(...chunks: (string | Buffer)[]): Promise<unknown[]> {
  const stream = (async function* () {
    yield* chunks;
  })();
  const entries: unknown[] = [];
  for await (const entry of readEntries(stream)) entries.push(entry);
  return entries;
}

test('reads one entry a line, wherever the stream is cut', async () => {
  await assert(
    asyncProperty(
      array(record({ description: string({ unit: 'grapheme' }) }), { maxLength: 8 }),
      array(nat(200), { maxLength: 12 }),
      async (tasks, cuts) => {
        const bytes = Buffer.from(tasks.map((task) => `${JSON.stringify(task)}\n`).join(''));
        const starts = [...new Set(cuts)].filter((cut) => cut < bytes.length).sort((a, b) => a - b);
        const chunks = [0, ...starts].map((from, i) => bytes.subarray(from, starts[i]));
        expect(await read(...chunks)).toEqual(tasks);
      },
    ),
  );
});

test('takes files as Windows writes them, and a last line without its end', async () => {
  expect(await read('\uFEFF{"description":"a"}\r\n{"description":"b"}')).toEqual([
    { description: 'a' },
    { description: 'b' },
  ]);
});

test('keeps the place of blank and broken lines', async () => {
  const entries = await read('{"description":"a"}\n\n{bad\n  \n', Buffer.from([0xff, 0xfe, 0x0a]), '7\n');

  expect(entries.map((entry) => (entry as object).constructor)).toEqual([
    Object,
    BlankEntry,
    UnreadableEntry,
    BlankEntry,
    UnreadableEntry,
    Number,
  ]);
  expect(entries[2]).toMatchObject({ message: expect.stringMatching(/^expected JSON: /) as string });
  expect(entries[4]).toMatchObject({
    message: expect.stringMatching(/^the line is not UTF-8 text: byte 0x.. at offset \d+$/) as string,
  });
});

test('keeps the place of a line nested deeper than a stack', async () => {
  const deep = `{"description":"a","data":${'['.repeat(2_000)}${']'.repeat(2_000)}}\n`;
  const [first, second] = await read(deep, '{"description":"b"}\n');
  expect(first).toEqual(new UnreadableEntry('expected at most 256 levels of lists and objects'));
  expect(second).toEqual({ description: 'b' });
});

test('passes over a line of any length without keeping it', async () => {
  const piece = 'x'.repeat(1024 * 1024);
  const entries = await read('{"description":"', piece, piece, piece, '"}\n', '{"description":"next"}\n');

  expect(entries[0]).toMatchObject({ message: 'expected a line of at most 2 MB' });
  expect(entries[1]).toEqual({ description: 'next' });
});
