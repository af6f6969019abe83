import { countEnds, isCrOnly, withEndsOf } from './line-ends.ts';

const MARK = '\uFEFF';

/**
 * Gives a new text for a file what the old one has besides its words: the byte order mark and the line ends. A model neither
 * sees nor writes them. Line ends stay as they are given where the new text has a carriage return: then the model chose.
 * @returns `kept`: what was added, for the model; '' if the text is as it was given
 */
export function keepStyle(old: string, fresh: string): { text: string; kept: string } {
  const isMarked = old.startsWith(MARK) && !fresh.startsWith(MARK);
  const hadEnds = countEnds(old);
  const hadCr = isCrOnly(old);
  const isEnded = (hadEnds.crlf > 0 || hadCr) && !fresh.includes('\r') && fresh.includes('\n');
  const body = old.startsWith(MARK) ? old.slice(1) : old;
  const ended = isEnded ? withEndsOf(body, fresh, hadCr ? '\r' : '\n') : fresh;
  const kept = [
    ...(isMarked ? ['byte order mark'] : []),
    ...(ended === fresh ? [] : [hadCr ? 'CR line ends' : hadEnds.lf === 0 ? 'CRLF line ends' : 'mixed line ends']),
  ];
  return { text: isMarked ? MARK + ended : ended, kept: kept.join(' and ') };
}
