/** Splits what a client sends to Redis, or Redis to a client, into whole messages. Protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
export class RespSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns the messages that are whole now, in order */
  push(chunk: Buffer): Buffer[] {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole: Buffer[] = [];
    for (;;) {
      const end = endOfMessage(data, 0);
      if (end === null) break;
      whole.push(data.subarray(0, end));
      data = data.subarray(end);
    }
    this.#rest = data;
    return whole;
  }
}

/** First word of a command, in upper case. */
export function toCommandName(message: Buffer): string {
  const text = message.toString('latin1', 0, 64);
  return (/^\*\d+\r\n\$\d+\r\n([^\r]+)/.exec(text)?.[1] ?? '').toUpperCase();
}

/** Whether Redis sent it without being asked (RESP 3). */
export function isPush(message: Buffer): boolean {
  return message[0] === 0x3e; // `>`
}

/** @returns the offset after the message that begins at `from`; null: it is not whole */
function endOfMessage(data: Buffer, from: number): number | null {
  const lineEnd = data.indexOf('\r\n', from);
  if (lineEnd === -1) return null;
  const kind = String.fromCharCode(data[from] ?? 0);
  const count = Number(data.toString('latin1', from + 1, lineEnd));
  const next = lineEnd + 2;
  if ('$!='.includes(kind)) {
    const end = count < 0 ? next : next + count + 2;
    return end <= data.length ? end : null;
  }
  if (!'*~>%'.includes(kind)) return next;
  let at: number | null = next;
  for (let left = kind === '%' ? 2 * count : count; left > 0 && at !== null; left -= 1) at = endOfMessage(data, at);
  return at;
}
