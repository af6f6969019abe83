import { findUtf8Problem } from './decode-text.ts';

const LINE_FEED = 0x0a;

/** One line of a text. `number` counts from 1. `text` is null where the line is too long or no UTF-8; `problem` is the reason. */
export type Line =
  | { number: number; bytes: number; text: string }
  | { number: number; bytes: number; text: null; problem: string };

/**
 * Yields the lines of a stream, with one line in memory at a time.
 * @param options.mostBytes a longer line is not kept in memory, and yielded without its text
 * @param options.onBytes called with the number of bytes read so far
 */
export async function* streamLines(
  chunks: AsyncIterable<Buffer | string>,
  options: { mostBytes: number; onBytes?: (bytes: number) => void },
): AsyncGenerator<Line> {
  const { mostBytes, onBytes } = options;
  const decoder = new TextDecoder('utf-8', { fatal: true }); // removes a byte order mark
  let parts: Buffer[] = [];
  let length = 0;
  let number = 0;
  let total = 0;

  function keep(piece: Buffer): void {
    length += piece.length;
    if (length <= mostBytes) parts.push(piece);
    else parts = [];
  }
  function take(): Line {
    number += 1;
    const line = toLine(parts, { number, bytes: length, mostBytes }, decoder);
    parts = [];
    length = 0;
    return line;
  }

  for await (const chunk of chunks) {
    const buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    total += buffer.length;
    onBytes?.(total);
    let from = 0;
    for (let end = buffer.indexOf(LINE_FEED); end !== -1; end = buffer.indexOf(LINE_FEED, from)) {
      keep(buffer.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < buffer.length) keep(Buffer.from(buffer.subarray(from))); // a copy: the stream may reuse the memory
  }
  if (length > 0) yield take(); // the last line may have no line feed
}

function toLine(
  parts: Buffer[],
  { number, bytes, mostBytes }: { number: number; bytes: number; mostBytes: number },
  decoder: InstanceType<typeof TextDecoder>,
): Line {
  if (bytes > mostBytes) {
    return { number, bytes, text: null, problem: `expected a line of at most ${mostBytes / 2 ** 20} MB` };
  }
  const line = Buffer.concat(parts);
  try {
    return { number, bytes, text: decoder.decode(line) };
  } catch {
    return { number, bytes, text: null, problem: `the line ${findUtf8Problem(line) ?? 'is not UTF-8 text'}` };
  }
}
