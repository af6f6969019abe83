import type { OnInput } from '../../models/model.ts';

/** Makes a call. It may tell what the stream reports of the prompt. */
export type Send<Reply> = (onInput: OnInput) => Promise<Reply>;

/** A call that ends sooner costs no command: most do. */
const LONG_MS = 2_000;

/** Notes what the stream of a call has reported of the prompt, once, when the call has taken two seconds. */
export class LongCall {
  readonly #begunAt = performance.now();
  readonly #note: OnInput;
  #timer: NodeJS.Timeout | undefined;

  /** @param note must not throw: the call continues */
  constructor(note: OnInput) {
    this.#note = note;
  }

  readonly onInput: OnInput = (reported) => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#note(reported), Math.max(0, this.#begunAt + LONG_MS - performance.now()));
  };

  end(): void {
    clearTimeout(this.#timer);
  }
}
