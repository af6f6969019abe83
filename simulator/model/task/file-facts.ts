import { extname } from 'node:path';
import { isObject } from '../../provider-host/json.ts';
import type { FileText } from './reading.ts';

/** What a file's text shows about it. */
export interface FileFacts {
  path: string;
  language: string;
  lines: number;
  isComplete: boolean;
  /** False if parts of the text are no longer in the prompt: the fields below may then be incomplete. */
  isWhole: boolean;
  /** Characters. */
  size: number;
  exports: string[];
  /** First Markdown heading, or null. */
  heading: string | null;
  /** First sentence of the opening comment, or null. */
  docstring: string | null;
  /** Top-level keys of JSON, columns of CSV. */
  keys: string[];
  todos: number;
}

const LANGUAGES: Record<string, string> = {
  '.ts': 'TypeScript',
  '.tsx': 'TypeScript',
  '.mts': 'TypeScript',
  '.js': 'JavaScript',
  '.mjs': 'JavaScript',
  '.cjs': 'JavaScript',
  '.jsx': 'JavaScript',
  '.py': 'Python',
  '.md': 'Markdown',
  '.json': 'JSON',
  '.jsonl': 'JSON lines',
  '.csv': 'CSV',
  '.lua': 'Lua',
  '.sh': 'shell',
  '.css': 'CSS',
  '.html': 'HTML',
  '.yml': 'YAML',
  '.yaml': 'YAML',
  '.toml': 'TOML',
  '.txt': 'text',
};
const DECLARATION =
  /^export\s+(?:declare\s+)?(?:default\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|const|let|var|interface|type|enum|namespace)\s+([A-Za-z_$][\w$]*)/gm;
const EXPORT_LIST = /^export\s+(?:type\s+)?\{([^}]*)\}/gm;

export function toFileFacts({ path, text, lines, isComplete, isWhole }: FileText): FileFacts {
  const language = LANGUAGES[extname(path).toLowerCase()] ?? 'text';
  return {
    path,
    language,
    lines,
    isComplete,
    isWhole,
    size: text.length,
    exports: findExports(language, text),
    heading: language === 'Markdown' ? (/^#{1,6}\s+(.+)$/m.exec(text)?.[1]?.trim() ?? null) : null,
    docstring: findDocstring(language, text),
    keys: findKeys(language, text),
    todos: (text.match(/\b(?:TODO|FIXME)\b/g) ?? []).length,
  };
}

/** One line about the file, from its facts alone. */
export function describeFacts(facts: FileFacts): string {
  const parts = [`${facts.language}, ${facts.isComplete ? '' : 'at least '}${plural(facts.lines, 'line')}`];
  if (facts.heading !== null) parts.push(`headed “${facts.heading}”`);
  if (facts.exports.length > 0) parts.push(`exports ${listed(facts.exports)}`);
  if (facts.keys.length > 0) parts.push(`${facts.language === 'CSV' ? 'columns' : 'keys'} ${listed(facts.keys)}`);
  if (facts.todos > 0) parts.push(plural(facts.todos, 'TODO'));
  const says = facts.docstring === null ? '' : ` It says of itself: “${facts.docstring}”`;
  const missing = facts.isWhole ? '' : ' Parts of it were out of sight.';
  return `${facts.path}: ${parts.join(', ')}.${says}${missing}`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `\`${name}\``);
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}

function findExports(language: string, text: string): string[] {
  if (language === 'Python')
    return [...text.matchAll(/^(?:async\s+)?(?:def|class)\s+(\w+)/gm)].map((match) => match[1] ?? '');
  if (language !== 'TypeScript' && language !== 'JavaScript') return [];
  const declared = [...text.matchAll(DECLARATION)].map((match) => match[1] ?? '');
  const lists = [...text.matchAll(EXPORT_LIST)].flatMap((match) => (match[1] ?? '').split(','));
  const renamed = lists.map(
    (item) =>
      item
        .trim()
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)
        .at(-1) ?? '',
  );
  return [...new Set([...declared, ...renamed].filter(Boolean))];
}

function findDocstring(language: string, text: string): string | null {
  const raw =
    language === 'TypeScript' || language === 'JavaScript' || language === 'CSS'
      ? (/\/\*\*?([\s\S]*?)\*\//.exec(text)?.[1] ?? /^\/\/\s?(.+)$/m.exec(text)?.[1])
      : language === 'Python'
        ? /^\s*(?:"""|''')([\s\S]*?)(?:"""|''')/.exec(text)?.[1]
        : language === 'Lua'
          ? /^--+\s?(.+)$/m.exec(text)?.[1]
          : language === 'Markdown'
            ? /^(?![#>|`\s*-]|!\[|\[!)(.+(?:\n(?![#>|`\s]).+)*)/m.exec(text)?.[1]
            : undefined;
  const flat = (raw ?? '')
    .replaceAll(/^\s*\*\s?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (flat === '') return null;
  const sentence = /^.*?[.!?](?=\s|$)/.exec(flat)?.[0] ?? flat;
  return sentence.length > 200 ? `${sentence.slice(0, 199)}…` : sentence;
}

function findKeys(language: string, text: string): string[] {
  if (language === 'CSV')
    return (text.split('\n')[0] ?? '')
      .split(',')
      .map((name) => name.trim().replaceAll('"', ''))
      .filter(Boolean);
  if (language !== 'JSON') return [];
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? Object.keys(value) : [];
  } catch {
    return []; // read in part, or not JSON
  }
}
