import { withoutControls } from '../../text/without-controls.ts';

const RESET = '\u001B[0m';
const BOLD = '\u001B[1m';
const RED = '\u001B[31m';
const GREEN = '\u001B[32m';
const CYAN = '\u001B[36m';

/** The text of a patch for a terminal: in git's colours, and without signs that could move the cursor. */
export function toTerminalDiff(text: string, colour: boolean): string {
  let isInHunk = false;
  const lines = withoutControls(text.replaceAll('\r\n', '\n')).split('\n');
  return lines
    .map((line) => {
      if (line.startsWith('diff --git ')) isInHunk = false;
      if (line.startsWith('@@')) isInHunk = true;
      const paint = isInHunk ? ofHunk(line) : BOLD;
      return !colour || paint === '' || line === '' ? line : `${paint}${line}${RESET}`;
    })
    .join('\n');
}

function ofHunk(line: string): string {
  if (line.startsWith('@@')) return CYAN;
  return line.startsWith('+') ? GREEN : line.startsWith('-') ? RED : '';
}
