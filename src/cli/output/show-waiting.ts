import { isTerminal } from './print.ts';

export interface Waiting {
  /** What is waited for now. */
  say(text: string): void;
  stop(): void;
}

/** A wait shorter than this shows nothing. */
const QUIET_MS = 2_000;
const LINE_EVERY_MS = 10_000;

/**
 * Says on the error output what a command waits for, once that takes a while: on a terminal one line that is kept true,
 * elsewhere a line whenever something has changed, and every ten seconds.
 */
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
    say(what) {
      text = what;
      print(false);
    },
    stop() {
      clearTimeout(first);
      clearInterval(next);
      if (onTerminal && shown !== '') stream.write('\r\u001B[K');
    },
  };
}
