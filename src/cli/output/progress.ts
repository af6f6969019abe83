import { Presets, SingleBar } from 'cli-progress';
import { isTerminal, wantsColour } from './print.ts';
import { withoutControls } from '../../text/without-controls.ts';
import { formatCount } from '../../text/plural.ts';

export interface Progress {
  /** @param note text after the numbers */
  update(value: number, note?: string): void;
  setTotal(total: number): void;
  stop(): void;
}

/** Shorter work and shorter waits show nothing. */
const QUIET_MS = 2_000;
const LINE_EVERY_MS = 10_000;

/**
 * Shows the progress of long work on the error output, apart from results: a bar on a terminal, elsewhere a line every ten
 * seconds.
 * @param unit of the numbers
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
      hideCursor: null, // the terminal needs no reset when Ctrl-C ends the process
      linewrap: null,
      clearOnComplete: true,
      noTTYOutput: false,
      barsize: 30,
      formatValue: (value, _options, type) => (type === 'percentage' ? String(value) : formatCount(value)),
    },
    wantsColour() ? Presets.shades_classic : Presets.legacy,
  );
  let shown = false;
  return {
    update(value, note = '') {
      const payload = { note: note === '' ? '' : ` | ${withoutControls(note)}` };
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
  let printedAt = startedAt;
  return {
    update(value, note = '') {
      if (Date.now() - printedAt < LINE_EVERY_MS) return;
      printedAt = Date.now();
      const of = total > 0 ? ` of ${formatCount(total)}` : '';
      const what = unit === '' ? '' : ` ${unit}`;
      console.error(`${title}: ${formatCount(value)}${of}${what}${note === '' ? '' : ` (${note})`}`);
    },
    setTotal(next) {
      total = next;
    },
    stop: () => undefined,
  };
}

/** Prints why work waits, once a wait. @returns takes the reason at each look; null: it does not wait */
export function onlyChanges(print: (line: string) => void): (line: string | null) => void {
  let last = '';
  return (line) => {
    if (line !== null && line !== '' && line !== last) print(line);
    last = line ?? last; // the same wait continues after a short run
  };
}

/** Shows on the error output what a command waits for. */
export interface Waiting {
  /** @param text what the command waits for now */
  update(text: string): void;
  stop(): void;
}

/** Says which command a command of pm2 waits for. */
export function describeOther({ command, pid }: { command: string; pid: number }): string {
  return `Waiting for \`fleet ${command}\` (pid ${pid}), which starts or ends processes`;
}

/** Shows a long wait: on a terminal one line that is redrawn, elsewhere a line at each change and every ten seconds. */
export function showWaiting(): Waiting {
  const stream = process.stderr;
  const onTerminal = isTerminal(stream);
  const startedAt = Date.now();
  let text = '';
  let shown = '';
  const print = (again: boolean): void => {
    if (Date.now() - startedAt < QUIET_MS || text === '' || (text === shown && !again)) return;
    stream.write(onTerminal ? `\r\u001B[K${text}` : `${text}\n`);
    shown = text;
  };
  const first = setTimeout(() => print(false), QUIET_MS + 1);
  const next = setInterval(() => print(!onTerminal), LINE_EVERY_MS);
  return {
    update(what) {
      text = withoutControls(what);
      print(false);
    },
    stop() {
      clearTimeout(first);
      clearInterval(next);
      if (onTerminal && shown !== '') stream.write('\r\u001B[K');
    },
  };
}
