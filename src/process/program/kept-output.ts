/** A bounded part of a program's output. */
export interface KeptOutput {
  add(chunk: Buffer): void;
  /** All bytes. Null: there were more than are kept. */
  bytes(): Buffer | null;
  /** What is kept, as UTF-8; a note stands in place of the rest. */
  text(): string;
}

/** Keeps the beginning of the output and, of what is left of the cap, the end: errors are there. @param cap bytes */
export function keepOutput(cap: number, headCap: number): KeptOutput {
  const tailCap = cap - headCap;
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let total = 0;
  return {
    add(chunk) {
      total += chunk.length;
      const first = chunk.subarray(0, Math.max(0, headCap - headBytes));
      if (first.length > 0) {
        head.push(first);
        headBytes += first.length;
      }
      const rest = chunk.subarray(first.length);
      if (rest.length === 0) return;
      tail.push(rest);
      tailBytes += rest.length;
      if (tailBytes > 2 * cap) {
        tail = [Buffer.concat(tail).subarray(-tailCap)];
        tailBytes = tailCap;
      }
    },
    bytes: () => (total > headBytes + Math.min(tailBytes, tailCap) ? null : Buffer.concat([...head, ...tail])),
    text() {
      const start = Buffer.concat(head);
      const end = Buffer.concat(tail).subarray(-tailCap);
      if (total === start.length + end.length) return Buffer.concat([start, end]).toString('utf8');
      const [whole, rest] = [withoutBrokenEnd(start), withoutBrokenStart(end)];
      const left = total - whole.length - rest.length;
      return `${whole.toString('utf8')}\n[cut: ${left} bytes of output left out here]\n${rest.toString('utf8')}`;
    },
  };
}

const isContinuation = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;

/** Cuts off a character that the end of the bytes breaks. */
function withoutBrokenEnd(bytes: Buffer): Buffer {
  let at = bytes.length - 1;
  while (at > 0 && bytes.length - at < 4 && isContinuation(bytes[at])) at -= 1;
  const first = bytes[at] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.length - at < length ? bytes.subarray(0, at) : bytes;
}

function withoutBrokenStart(bytes: Buffer): Buffer {
  let at = 0;
  while (at < 3 && isContinuation(bytes[at])) at += 1;
  return bytes.subarray(at);
}
