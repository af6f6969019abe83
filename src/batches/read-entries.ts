import { toMessage } from '../errors.ts';
import { BlankEntry, UnreadableEntry } from './add-batch.ts';

/** A line longer than this is no task (tasks hold 256 kB at most); it is passed over without being kept in memory. */
const MAX_LINE_BYTES = 2 * 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * Tasks of a JSONL stream, one a line, holding one line at a time. A line that cannot be read keeps its place, with the
 * rule it broke; the rest goes on.
 * @param onBytes told how much of the stream is behind
 */
export async function* readEntries(
  chunks: AsyncIterable<Buffer | string>,
  onBytes: (bytes: number) => void = () => undefined,
): AsyncGenerator {
  const decoder = new TextDecoder('utf-8', { fatal: true }); // drops a byte order mark
  let parts: Buffer[] = [];
  let length = 0;
  let bytes = 0;

  function keep(piece: Buffer): void {
    length += piece.length;
    if (length <= MAX_LINE_BYTES) parts.push(piece);
    else parts = [];
  }
  function take(): unknown {
    const entry = length > MAX_LINE_BYTES ? tooLong() : toEntry(Buffer.concat(parts), decoder);
    parts = [];
    length = 0;
    return entry;
  }

  for await (const chunk of chunks) {
    const buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    bytes += buffer.length;
    onBytes(bytes);
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

function toEntry(line: Buffer, decoder: InstanceType<typeof TextDecoder>): unknown {
  let text: string;
  try {
    text = decoder.decode(line);
  } catch {
    return new UnreadableEntry('expected UTF-8');
  }
  if (text.trim() === '') return new BlankEntry();
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return new UnreadableEntry(`expected JSON: ${toMessage(error)}`);
  }
}

function tooLong(): UnreadableEntry {
  return new UnreadableEntry(`expected a line of at most ${MAX_LINE_BYTES / 1024 / 1024} MB`);
}
