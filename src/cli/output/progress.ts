import { Presets, SingleBar } from 'cli-progress';
import { isTerminal, wantsColour } from './print.ts';

export interface Progress {
  /** @param note what else to say beside the numbers */
  update(value: number, note?: string): void;
  setTotal(total: number): void;
  stop(): void;
}

/** Work shorter than this shows nothing. */
const QUIET_MS = 2_000;
const LINE_EVERY_MS = 10_000;

/**
 * Shows how far long work is, on the error output so that results stay clean: a bar on a terminal, elsewhere a line every
 * ten seconds.
 * @param unit of the numbers, for the line
 */
export function showProgress(title: string, total: number, unit = ''): Progress {
  const startedAt = Date.now();
  return isTerminal(process.stderr) ? bar(title, total, unit, startedAt) : lines(title, total, unit, startedAt);
}

function bar(title: string, firstTotal: number, unit: string, startedAt: number): Progress {
  let total = firstTotal;
  const view = new SingleBar(
    {
      format: `${title} [{bar}] {percentage}% | {value} of {total}${unit === '' ? '' : ` ${unit}`}{note}`,
      stream: process.stderr,
      hideCursor: null, // the terminal stays as it is, also when Ctrl-C ends the process
      linewrap: null,
      clearOnComplete: true,
      noTTYOutput: false,
      barsize: 30,
      formatValue: (value, _options, type) => (type === 'percentage' ? String(value) : value.toLocaleString('en-US')),
    },
    wantsColour() ? Presets.shades_classic : Presets.legacy,
  );
  let shown = false;
  return {
    update(value, note = '') {
      const payload = { note: note === '' ? '' : ` | ${note}` };
      if (!shown && Date.now() - startedAt < QUIET_MS) return;
      if (!shown) view.start(total, value, payload);
      shown = true;
      view.update(value, payload);
    },
    setTotal(next) {
      total = next;
      if (shown) view.setTotal(next);
    },
    stop: () => view.stop(),
  };
}

function lines(title: string, firstTotal: number, unit: string, startedAt: number): Progress {
  let total = firstTotal;
  let saidAt = startedAt;
  return {
    update(value, note = '') {
      if (Date.now() - saidAt < LINE_EVERY_MS) return;
      saidAt = Date.now();
      const of = total > 0 ? ` of ${total.toLocaleString('en-US')}` : '';
      const what = unit === '' ? '' : ` ${unit}`;
      console.error(`${title}: ${value.toLocaleString('en-US')}${of}${what}${note === '' ? '' : ` (${note})`}`);
    },
    setTotal(next) {
      total = next;
    },
    stop: () => undefined,
  };
}
