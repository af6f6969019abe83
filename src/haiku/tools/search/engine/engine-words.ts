import { toOneLine } from '../../../../text/one-line.ts';
import { ToolRefusal } from '../../tool-refusal.ts';
import { isOutOfMemory, type EngineEnd } from './engine.ts';
import { isShown, type SearchContext } from './scope.ts';
import { showPath } from './show-path.ts';

const HINTS: [RegExp, string][] = [
  [/look-around|backreference/, 'use a plainer pattern, and context or a second call'],
  [/"\\n" is not allowed/, 'lines are searched one by one; use context'],
  [/exceeds size limit/, 'use smaller repetitions'],
  [/unclosed character class|alternate group/, String.raw`write \[ or \{ for the character itself`],
];

/**
 * @throws ToolRefusal with ripgrep's words on one line, if it took the pattern or glob for invalid, or failed: what it found until
 * then is no result
 */
export function requireEnd(end: EngineEnd): void {
  const { code, words } = end;
  const isUsual = code === 0 || code === 1 || code === 2;
  if (!isUsual && !end.isTimedOut && !end.isStopped && !isOutOfMemory(end)) {
    throw new ToolRefusal(`the search failed (${toOneLine(words) || 'ended by a signal'}); try again`);
  }
  const parsing = /^rg: (regex parse error|error parsing glob|the literal|compiled regex|regex)/m.exec(words);
  if (code !== 2 || parsing === null) return;
  const reason = /^error: (.+)$/m.exec(words)?.[1] ?? words.slice(words.indexOf('rg: ') + 4).split('\n\n')[0] ?? words;
  const kind = parsing[1] === 'error parsing glob' ? 'glob' : 'regular expression';
  const text = toOneLine(reason.replace(/^error parsing glob '.*': /s, ''));
  const hint = HINTS.find(([about]) => about.test(words))?.[1];
  throw new ToolRefusal(`invalid ${kind}: ${text}${hint === undefined ? '' : `; ${hint}`}`);
}

/** What ripgrep could not read, without guarded names: `path (reason)`, each once. */
export function readErrors({ words, isStopped }: EngineEnd, context: Pick<SearchContext, 'files'>): string[] {
  const lines = [...words.matchAll(/^rg: \.\/(.*?): (?:IO error.*?: )?([A-Z][^:\n]*?) \(os error \d+\)$/gm)];
  // A search that is stopped may still have been writing: its own error is none of a file.
  const found = lines.filter(([, path = '', reason = '']) => {
    return isShown(path, context) && !(isStopped && /^(Connection reset|Broken pipe)/.test(reason));
  });
  return [...new Set(found.map(([, path = '', reason = '']) => `${showPath(path)} (${reason.toLowerCase()})`))];
}
