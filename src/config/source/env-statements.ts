import { parseEnv } from 'node:util';

/** What one line of a `.env` sets; a value in quotes may go over several lines. */
export interface EnvStatement {
  /** Of its first line, from 1. */
  line: number;
  /** Null where the line sets nothing. */
  name: string | null;
  /** Empty where the line sets nothing. */
  value: string;
  /** The lines as they are written, without the blanks around them. */
  text: string;
  /** Whether something of the line does not count: what follows a `#` inside a word, or a closing quote. */
  isCut: boolean;
}

/** Blanks before a name, and invisible marks. */
const INDENT = /^[\s\u200B-\u200F\u2060]+/u;
const SETS = /^(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/s;
const QUOTED = /^\s*(["'`])/;

/**
 * Takes a `.env` apart. Each line is read by itself: `parseEnv` over the whole file would join a line without `=` and the next one,
 * whose variable would be lost.
 */
export function readStatements(content: string): EnvStatement[] {
  const lines = content.split(/\r\n?|\n/);
  const statements: EnvStatement[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    const text = (lines[at] ?? '').replace(INDENT, '').trimEnd();
    if (text === '' || /^(?:#|;|\/\/)/.test(text)) continue;
    const [, name, first] = SETS.exec(text) ?? [];
    if (name === undefined || first === undefined) {
      statements.push({ line, name: null, value: '', text, isCut: false });
      continue;
    }
    const quote = QUOTED.exec(first)?.[1];
    const more = quote === undefined ? 0 : countMoreLines(first, quote, lines.slice(at + 1));
    const written = [first, ...lines.slice(at + 1, at + 1 + more)].join('\n');
    at += more;
    const value = parseEnv(`X=${written}`)['X'] ?? '';
    statements.push({ line, name, value, text, isCut: findsCut(written, quote) });
  }
  return statements;
}

/** Lines after the first that a value in quotes takes; 0 where no line closes the quote. */
function countMoreLines(first: string, quote: string, rest: readonly string[]): number {
  if (first.trimStart().indexOf(quote, 1) !== -1) return 0;
  return rest.findIndex((line) => line.includes(quote)) + 1;
}

function findsCut(written: string, quote: string | undefined): boolean {
  const value = written.trimStart();
  const end = quote === undefined ? -1 : value.indexOf(quote, 1);
  if (end !== -1) return !/^\s*(?:#|$)/.test(value.slice(end + 1));
  const [before = ''] = written.split('#');
  return before.length < written.length && !/\s$/.test(before);
}
