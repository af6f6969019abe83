import { noticesOf } from '../notices/notices.ts';
import type { Notice, StatusSnapshot } from '../types.ts';
import type { Colours } from './colours.ts';

/** The lines below the figures. */
export function renderNotices(snapshot: StatusSnapshot, colours: Colours): string[] {
  return noticesOf(snapshot).map((notice) => renderNotice(notice, colours));
}

function renderNotice({ level, label, text, command, hint }: Notice, colours: Colours): string {
  const heading = label.includes(':') ? label : `${label}:`;
  const repair = command === undefined ? '' : ` (${command}${hint === undefined ? '' : ` ${hint}`})`;
  const line = `${heading.padEnd(18)}${text}${repair}`;
  return level === 'warning' ? colours.yellow(line) : line;
}
