import type { Halt } from '../../halt/types.ts';
import { toOneLine } from '../../text/one-line.ts';
import { noticesOf } from '../read/notices.ts';
import type { Notice, StatusSnapshot } from '../types.ts';
import type { Colours } from './colours.ts';
import { choicesOf } from './halt-choices.ts';

/** The lines below the figures: the halt, then the notices. */
export function renderNotices(snapshot: StatusSnapshot, colours: Colours): string[] {
  return [
    ...(snapshot.halt ? renderHalt(snapshot.halt, colours) : []),
    ...noticesOf(snapshot).map((notice) => renderNotice(notice, colours)),
  ];
}

function renderHalt(halt: Halt, colours: Colours): string[] {
  const since = halt.at === '' ? '' : ` since ${halt.at}`;
  const by = halt.by === '' ? '' : ` by ${toOneLine(halt.by)}`;
  return [
    colours.red(colours.bold(`⛔ HALTED${since}${by}: ${toOneLine(halt.reason)}`)),
    ...(halt.step === '' ? [] : [`  At step: ${toOneLine(halt.step)}`]),
    ...(halt.detail === '' ? [] : [`  Detail:  ${toOneLine(halt.detail)}`]),
    ...choicesOf(halt).map((choice) => `  ➜ ${choice.what}: ${colours.bold(choice.command)}`),
  ];
}

function renderNotice({ level, label, text, command, hint }: Notice, colours: Colours): string {
  const heading = label.includes(':') ? label : `${label}:`;
  const repair = command === undefined ? '' : ` (${command}${hint === undefined ? '' : ` ${hint}`})`;
  const line = `${heading.padEnd(18)}${text}${repair}`;
  return level === 'warning' ? colours.yellow(line) : line;
}
