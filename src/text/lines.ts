const LINE_FEED = 0x0a;

/** One line of a text, from 1; `text` is null where it is too long or no UTF-8, and `problem` says so. */
export type Line =
  | { number: number; bytes: number; text: string }
  | { number: number; bytes: number; text: null; problem: string };

/**
 * Lines of a stream, one in memory at a time.
 * @param options.mostBytes a longer line is passed over without being kept in memory
 * @param options.onBytes told how much of the stream is behind
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer | string>,
  options: { mostBytes: number; onBytes?: (bytes: number) => void },
): AsyncGenerator<Line> {
  const { mostBytes, onBytes } = options;
  const decoder = new TextDecoder('utf-8', { fatal: true }); // drops a byte order mark
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
    for (let at = buffer.indexOf(LINE_FEED); at !== -1; at = buffer.indexOf(LINE_FEED, from)) {
      keep(buffer.subarray(from, at));
      yield take();
      from = at + 1;
    }
    if (from < buffer.length) keep(Buffer.from(buffer.subarray(from))); // a copy: the stream may use its memory again
  }
  if (length > 0) yield take(); // the last line may lack its line feed
}

function toLine(
  parts: Buffer[],
  { number, bytes, mostBytes }: { number: number; bytes: number; mostBytes: number },
  decoder: InstanceType<typeof TextDecoder>,
): Line {
  if (bytes > mostBytes) {
    return { number, bytes, text: null, problem: `expected a line of at most ${mostBytes / 2 ** 20} MB` };
  }
  try {
    return { number, bytes, text: decoder.decode(Buffer.concat(parts)) };
  } catch {
    return { number, bytes, text: null, problem: 'expected UTF-8' };
  }
}
