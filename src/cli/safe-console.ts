import { withoutControls } from '../text/without-controls.ts';

/**
 * Lets no text that comes from Redis act on the terminal: all that the commands print as lines loses its control characters.
 * What draws by itself (a bar, the colours of a diff, an export to the byte) writes to the stream.
 */
export function keepConsoleSafe(): void {
  for (const name of ['log', 'error', 'warn', 'info'] as const) {
    const print = console[name].bind(console);
    console[name] = (...values: unknown[]) =>
      print(...values.map((value) => (typeof value === 'string' ? withoutControls(value) : value)));
  }
}
