/**
 * Yields the data of each server-sent event of a body. Comments, names and ids are skipped, and so is an event that the end
 * of the body cuts off. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * @param onBytes called for each piece that arrives, also if no event is complete: a comment keeps a connection alive
 */
export async function* streamEventData(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder(); // removes a byte order mark
  let rest = '';
  let data: string | null = null;
  for await (const piece of body) {
    onBytes();
    const text = decoder.decode(piece, { stream: true });
    rest += text;
    if (!text.includes('\n')) continue; // searching the whole rest again for each piece of a long line would be quadratic
    let from = 0;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n', from)) {
      const line = rest.slice(from, rest[end - 1] === '\r' ? end - 1 : end);
      from = end + 1;
      if (line.startsWith('data:')) {
        const value = line.slice(line[5] === ' ' ? 6 : 5);
        data = data === null ? value : `${data}\n${value}`;
      } else if (line === '' && data !== null) {
        yield data;
        data = null;
      }
    }
    rest = rest.slice(from);
  }
}
