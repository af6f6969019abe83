import { toMessage } from '../../errors.ts';
import { parseExact } from '../../text/exact-json.ts';
import { streamLines } from '../../text/lines.ts';
import { DEEPEST_RULE, isTooDeep } from '../../text/json-depth.ts';
import { BlankEntry, UnreadableEntry } from './add.ts';

/** Longest line; tasks have at most 256 kB. */
const MOST_BYTES = 2 * 2 ** 20;

/**
 * Reads the tasks of a JSONL stream, one a line, holding one line at a time. A line that cannot be read becomes an entry
 * with the rule that it broke; it stops nothing.
 * @param onBytes called with the bytes read so far
 */
export async function* readEntries(
  chunks: AsyncIterable<Buffer | string>,
  onBytes?: (bytes: number) => void,
): AsyncGenerator {
  for await (const line of streamLines(chunks, {
    mostBytes: MOST_BYTES,
    ...(onBytes === undefined ? {} : { onBytes }),
  })) {
    yield line.text === null ? new UnreadableEntry(line.problem) : toEntry(line.text);
  }
}

function toEntry(text: string): unknown {
  if (text.trim() === '') return new BlankEntry();
  if (isTooDeep(text)) return new UnreadableEntry(DEEPEST_RULE);
  try {
    return parseExact(text);
  } catch (error) {
    return new UnreadableEntry(`expected JSON: ${toMessage(error)}`);
  }
}
