import { toOneLine } from '../../../../text/one-line.ts';
import { ToolRefusal } from '../../tool-refusal.ts';
import type { EngineEnd } from './engine.ts';
import { isShown, type SearchContext } from './scope.ts';
import { showPath } from './show-path.ts';

const HINTS: [RegExp, string][] = [
  [/look-around|backreference/, 'use a plainer pattern, and context or a second call'],
  [/"\\n" is not allowed/, 'lines are searched one by one; use context'],
  [/exceeds size limit/, 'use smaller repetitions'],
];

/**
 * @throws ToolRefusal with ripgrep's words on one line, if it took the pattern or glob for invalid
 */
export function refusePattern({ code, words }: EngineEnd): void {
  const parsing = /^rg: (regex parse error|error parsing glob|the literal|compiled regex|regex)/m.exec(words);
  if (code !== 2 || parsing === null) return;
  const reason = /^error: (.+)$/m.exec(words)?.[1] ?? words.slice(words.indexOf('rg: ') + 4).split('\n\n')[0] ?? words;
  const kind = parsing[1] === 'error parsing glob' ? 'glob' : 'regular expression';
  const text = toOneLine(reason.replace(/^error parsing glob '.*': /s, ''));
  const hint = HINTS.find(([about]) => about.test(words))?.[1];
  throw new ToolRefusal(`invalid ${kind}: ${text}${hint === undefined ? '' : `; ${hint}`}`);
}

/** What ripgrep could not read, without guarded names: `path (reason)`, each once. */
export function readErrors({ words }: EngineEnd, context: Pick<SearchContext, 'files'>): string[] {
  const lines = [...words.matchAll(/^rg: \.\/(.*?): (?:IO error.*?: )?([A-Z][^:\n]*?) \(os error \d+\)$/gm)];
  const found = lines.filter(([, path = '']) => isShown(path, context));
  return [...new Set(found.map(([, path = '', reason = '']) => `${showPath(path)} (${reason.toLowerCase()})`))];
}
