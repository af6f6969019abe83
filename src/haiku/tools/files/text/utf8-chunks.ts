const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** What a file's beginning says of its text. */
export interface TextStart {
  encoding: 'UTF-8' | 'UTF-16LE' | 'UTF-16BE';
  /** Whether it begins with a byte order mark. */
  hasMark: boolean;
}

/**
 * Passes a file on as UTF-8 without its byte order mark, piece by piece. UTF-16 with a mark is decoded; other bytes are passed
 * as they are.
 * @param onStart called before the first piece; not for an empty file
 */
export async function* toUtf8Chunks(
  chunks: AsyncIterable<Buffer>,
  onStart: (start: TextStart) => void,
): AsyncGenerator<Buffer> {
  let decoder: InstanceType<typeof TextDecoder> | null = null;
  let isFirst = true;
  for await (const chunk of chunks) {
    let piece = chunk;
    if (isFirst) {
      const start = toStart(chunk);
      onStart(start);
      if (start.encoding !== 'UTF-8') decoder = new TextDecoder(start.encoding); // removes the mark
      else if (start.hasMark) piece = chunk.subarray(MARK.length);
      isFirst = false;
    }
    yield decoder === null ? piece : Buffer.from(decoder.decode(piece, { stream: true }));
  }
  if (decoder !== null) yield Buffer.from(decoder.decode());
}

function toStart(chunk: Buffer): TextStart {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return { encoding: 'UTF-16LE', hasMark: true };
  if (chunk[0] === 0xfe && chunk[1] === 0xff) return { encoding: 'UTF-16BE', hasMark: true };
  return { encoding: 'UTF-8', hasMark: chunk.subarray(0, MARK.length).equals(MARK) };
}
