import { toMessage } from '../../errors.ts';
import { readLines } from '../../text/lines.ts';
import { BlankEntry, UnreadableEntry } from './add.ts';

/** A line longer than this is no task (tasks hold 256 kB at most). */
const MOST_BYTES = 2 * 2 ** 20;

/**
 * Tasks of a JSONL stream, one a line, holding one line at a time. A line that cannot be read keeps its place, with the
 * rule it broke; the rest goes on.
 * @param onBytes told how much of the stream is behind
 */
export async function* readEntries(
  chunks: AsyncIterable<Buffer | string>,
  onBytes?: (bytes: number) => void,
): AsyncGenerator {
  for await (const line of readLines(chunks, {
    mostBytes: MOST_BYTES,
    ...(onBytes === undefined ? {} : { onBytes }),
  })) {
    yield line.text === null ? new UnreadableEntry(line.problem) : toEntry(line.text);
  }
}

function toEntry(text: string): unknown {
  if (text.trim() === '') return new BlankEntry();
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return new UnreadableEntry(`expected JSON: ${toMessage(error)}`);
  }
}
