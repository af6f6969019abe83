/** What is wrong with a JSON text, and where. `line` and `column` count from 1, columns in UTF-16 code units. */
export class JsonTextError extends SyntaxError {
  override name = 'JsonTextError';
  readonly line: number;
  readonly column: number;
  readonly problem: string;

  constructor(text: string, at: number, problem: string) {
    const before = text.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    super(`line ${line}, column ${column}: ${problem}`);
    this.line = line;
    this.column = column;
    this.problem = problem;
  }
}

/** Makes the values of a JSON text for which programs differ. */
export interface JsonMaker {
  /** @param names may hold a name twice */
  object(names: string[], values: unknown[]): unknown;
  /** @param text as written */
  number(text: string): unknown;
}

/** Most levels of lists and objects. All that read or write such a value call themselves once a level. */
const DEEPEST = 1_000;

/**
 * Reads a JSON text by RFC 8259, as strictly as `JSON.parse`. It is our own because no parser found keeps the order of fields, fields
 * of the same name and the text of numbers. A byte order mark at the begin is skipped.
 * @throws JsonTextError
 */
export function readJson(text: string, make: JsonMaker): unknown {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  skipSpace();
  const whole = readValue(0);
  skipSpace();
  if (at < text.length) throw unexpected('the end, after the first value');
  return whole;

  function readValue(depth: number): unknown {
    if (depth > DEEPEST) throw new JsonTextError(text, at, `nested deeper than ${DEEPEST} levels`);
    switch (text.charAt(at)) {
      case '{':
        return readObject(depth);
      case '[':
        return readList(depth);
      case '"':
        return readString();
      case 't':
        return readWord('true', true);
      case 'f':
        return readWord('false', false);
      case 'n':
        return readWord('null', null);
      default:
        return readNumber();
    }
  }

  function readObject(depth: number): unknown {
    const names: string[] = [];
    const values: unknown[] = [];
    readParts('}', () => {
      if (text[at] !== '"') throw unexpected(names.length === 0 ? 'a name in quotes or "}"' : 'a name in quotes');
      names.push(readString());
      skipSpace();
      if (text[at] !== ':') throw unexpected('":"');
      at += 1;
      skipSpace();
      values.push(readValue(depth + 1));
    });
    return make.object(names, values);
  }

  function readList(depth: number): unknown[] {
    const items: unknown[] = [];
    readParts(']', () => items.push(readValue(depth + 1)));
    return items;
  }

  /** Reads what lies between brackets, with commas between the parts. */
  function readParts(end: '}' | ']', readPart: () => void): void {
    at += 1;
    skipSpace();
    if (text[at] !== end) {
      readPart();
      skipSpace();
      while (text[at] === ',') {
        at += 1;
        skipSpace();
        readPart();
        skipSpace();
      }
      if (text[at] !== end) throw unexpected(`"," or "${end}"`);
    }
    at += 1;
  }

  function readString(): string {
    at += 1;
    let value = '';
    let from = at;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        value += text.slice(from, at);
        at += 1;
        return value;
      }
      if (code === BACKSLASH) {
        value += text.slice(from, at) + readEscape();
        from = at;
      } else if (code >= SPACE) at += 1;
      else if (at >= text.length) throw unexpected('a quote that ends the text');
      else throw new JsonTextError(text, at, `${show(text, at)} in a text must be written as an escape`);
    }
  }

  function readEscape(): string {
    const sign = text[at + 1] ?? '';
    const plain = ESCAPES[sign];
    if (plain !== undefined) {
      at += 2;
      return plain;
    }
    const hex = text.slice(at + 2, at + 6);
    if (sign !== 'u' || !/^[\da-fA-F]{4}$/.test(hex)) {
      throw new JsonTextError(text, at, 'a backslash in a text must begin an escape such as \\n, \\\\ or \\u00e9');
    }
    at += 6;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  function readNumber(): unknown {
    NUMBER.lastIndex = at;
    const [number] = NUMBER.exec(text) ?? [];
    if (number === undefined) throw unexpected('a value');
    at += number.length;
    return make.number(number);
  }

  function readWord<T>(word: string, value: T): T {
    if (!text.startsWith(word, at)) throw unexpected('a value');
    at += word.length;
    return value;
  }

  function skipSpace(): void {
    for (;;) {
      const code = text.charCodeAt(at);
      if (code !== SPACE && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      at += 1;
    }
  }

  function unexpected(expected: string): JsonTextError {
    return new JsonTextError(text, at, `expected ${expected}, found ${show(text, at)}`);
  }
}

const [QUOTE, BACKSLASH, SPACE] = [0x22, 0x5c, 0x20];
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** A character as a person can see it. */
function show(text: string, at: number): string {
  const code = text.codePointAt(at);
  if (code === undefined) return 'the end of the text';
  const character = String.fromCodePoint(code);
  return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character)
    ? JSON.stringify(character)
    : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
