/** One event of a stream. */
export interface StreamFrame {
  /** The event as it is sent, with the empty line that ends it. */
  text: string;
  /** Output tokens that are billed once this event is sent, in all. */
  output: number;
  /** UTF-16 code units of content up to this event. */
  characters: number;
}

/** A reply that is sent in events. */
export interface EventStream {
  frames: readonly StreamFrame[];
  /** Sent in a long silence; null: the provider sends nothing then. */
  ping: string | null;
  /** Ms from the request to the last event. */
  latencyMs: number;
  headers: Record<string, string>;
  /** Called when the first event is sent. */
  begin: () => void;
  /** Books what is billed, before it is sent. @param output tokens so far */
  book: (output: number) => void;
  /** What a stream ends with that fails on the way. */
  errorText: string;
}

export function toText(frames: readonly StreamFrame[]): string {
  return frames.map(({ text }) => text).join('');
}
