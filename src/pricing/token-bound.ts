/**
 * Tokens of a character in text that the tokenizer's words cover badly, by class. Of English and code, Anthropic states 2.5
 * characters a token (https://platform.claude.com/docs/en/about-claude/models/migration-guide). The other rates are measured on
 * numbers, tables, JSON, encoded bytes and other languages with public tokenizers, at the same scale, and rounded up.
 */
const LETTER = 0.32;
const CAPITAL = 0.62;
const SPACE = 0.32;
/** Of a word that is too long to be one. */
const ENCODED_LETTER = 0.8;
const LONGEST_WORD = 20;

/** Of any ASCII text at least so many tokens, whatever its classes are: a little more than what Anthropic states. */
const CHARS_PER_TOKEN = 2.4;

/** Escapes of JSON that stand for white space; `\"` and `\\` stand for punctuation. */
const WHITE_ESCAPES = new Set(['n', 'r', 't']);

export interface TextBound {
  /** Upper bound of the tokens, for text as people, programs and tools write it. */
  tokens: number;
  /** Upper bound for any text: a token is at least one byte of UTF-8. */
  bytes: number;
}

/**
 * Upper bounds of the tokens of a JSON text when it is part of a prompt. Ordinary text has its 2.2 to 2.4 characters a token; a
 * digit, a punctuation mark and each character of a word with digits count as a token, other alphabets as their bytes.
 * @param json the text that `JSON.stringify` made; an escape counts as the character that it stands for
 */
export function boundTokens(json: string): TextBound {
  let tokens = 0;
  let chars = 0;
  let [letters, capitals, digits] = [0, 0, 0]; // of the word that is being read
  for (let i = 0; i < json.length; i += 1) {
    const code = json.charCodeAt(i);
    chars += 1;
    const kind = code < KINDS.length ? KINDS[code] : OTHER;
    if (kind === SMALL) letters += 1;
    else if (kind === LARGE) {
      letters += 1;
      capitals += 1;
    } else if (kind === DIGIT) digits += 1;
    else {
      if (letters + digits > 0) tokens += boundWord(letters, capitals, digits);
      letters = capitals = digits = 0;
      if (kind === WHITE) tokens += SPACE;
      else if (kind === ESCAPE) {
        i += 1;
        tokens += WHITE_ESCAPES.has(json[i] ?? '') ? SPACE : 1;
      } else tokens += toBytes(code);
    }
  }
  tokens += boundWord(letters, capitals, digits);
  const bytes = Buffer.byteLength(json);
  return { tokens: Math.min(bytes, Math.ceil(Math.max(tokens, chars / CHARS_PER_TOKEN))), bytes };
}

/** @param letters capitals included */
function boundWord(letters: number, capitals: number, digits: number): number {
  if (digits > 0) return letters + digits;
  if (letters > LONGEST_WORD) return letters * ENCODED_LETTER;
  return (letters - capitals) * LETTER + capitals * CAPITAL;
}

const [OTHER, SMALL, LARGE, DIGIT, WHITE, ESCAPE] = [0, 1, 2, 3, 4, 5];

/** Class of each ASCII character. */
const KINDS = Uint8Array.from({ length: 0x80 }, (_, code) => toKind(String.fromCharCode(code)));

function toKind(char: string): number {
  if (/[a-z]/.test(char)) return SMALL;
  if (/[A-Z]/.test(char)) return LARGE;
  if (/[0-9]/.test(char)) return DIGIT;
  if (char === '\\') return ESCAPE;
  return /\s/.test(char) ? WHITE : OTHER;
}

/** UTF-8 bytes of one UTF-16 code unit. */
function toBytes(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)) return 2; // half of a surrogate pair is half of four bytes
  return 3;
}
