import type { Halt } from '../../halt/halt-shape.ts';
import { toOneLine } from '../../text/one-line.ts';
import { noticesOf } from '../read/notices.ts';
import type { Notice, StatusSnapshot } from '../types.ts';
import type { Paint } from './colours.ts';
import { choicesOf } from './halt-choices.ts';

/** The lines below the block; a halt first. */
export function renderNotices(snapshot: StatusSnapshot, paint: Paint): string[] {
  return [
    ...(snapshot.halt ? renderHalt(snapshot.halt, paint) : []),
    ...noticesOf(snapshot).map((notice) => renderNotice(notice, paint)),
  ];
}

function renderHalt(halt: Halt, paint: Paint): string[] {
  const since = halt.at === '' ? '' : ` since ${halt.at}`;
  const by = halt.by === '' ? '' : ` by ${toOneLine(halt.by)}`;
  return [
    paint.red(paint.bold(`⛔ HALTED${since}${by}: ${toOneLine(halt.reason)}`)),
    ...(halt.step === '' ? [] : [`  At step: ${toOneLine(halt.step)}`]),
    ...(halt.detail === '' ? [] : [`  Detail:  ${toOneLine(halt.detail)}`]),
    ...choicesOf(halt).map((choice) => `  ➜ ${choice.what}: ${paint.bold(choice.command)}`),
  ];
}

function renderNotice({ level, label, text, command, hint }: Notice, paint: Paint): string {
  const heading = label.includes(':') ? label : `${label}:`;
  const way = command === undefined ? '' : ` (${command}${hint === undefined ? '' : ` ${hint}`})`;
  const line = `${heading.padEnd(18)}${text}${way}`;
  return level === 'warning' ? paint.yellow(line) : line;
}
