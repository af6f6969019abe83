import type { HaltSwitch } from '../../../src/halt/halt.ts';

const LOOK_EVERY_MS = 250;

/** Notes each halt, and lifts it, so that the run continues: nothing in it is a reason to halt. */
export class HaltWatch {
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();
  readonly halts: string[] = [];

  constructor(halt: HaltSwitch) {
    let busy = false;
    this.#timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.#looking = this.#look(halt)
        .catch(() => undefined) // Redis is away
        .finally(() => (busy = false));
    }, LOOK_EVERY_MS);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(halt: HaltSwitch): Promise<void> {
    const found = await halt.read();
    if (found === null) return;
    this.halts.push(`${found.reason} at ${found.step}: ${found.detail}`);
    await halt.resume('chaos');
  }
}
