import { isUtf8 } from 'node:buffer';
import { lstatSync, readFileSync, statSync } from 'node:fs';
import { toMessage } from '../../errors.ts';
import { readStatements, type EnvStatement } from './env-statements.ts';
import type { ConfigNote } from './notes.ts';

/** What a `.env` holds. */
export interface EnvFile {
  /** Variables that are not empty. */
  variables: Record<string, string>;
  /** What a person should look at; the file is used all the same. */
  notes: ConfigNote[];
  /** Why the file cannot be used, in one sentence; null: it can. */
  problem: string | null;
}

/** A value whose quote its line does not close. */
const OPEN_QUOTE = /=\s*(["'`])(?!.*\1)/;

/** More than any `.env` has. */
const MOST_BYTES = 2 ** 20;

/**
 * Reads a `.env`. A file that is not there has no variables.
 * @param isOurs whether a variable of this name may be the fleet's
 */
export function readEnvFile(path: string, isOurs: (name: string) => boolean): EnvFile {
  const nothing = { variables: {}, notes: [] };
  let bytes: Buffer;
  try {
    const problem = describeKind(path);
    if (problem !== null) return { ...nothing, problem };
    bytes = readFileSync(path);
  } catch (error) {
    return { ...nothing, problem: describeFailure(error, path) };
  }
  const text = decode(bytes);
  if (text === null) return { ...nothing, problem: describeEncoding(bytes) };
  const statements = readStatements(text);
  const open = statements.find(({ value }) => readStatements(value).some(({ name }) => isOurs(name ?? '')));
  if (open !== undefined) {
    return {
      ...nothing,
      problem: `the value of ${open.name} begins with a quote that no line closes before the next variable: close it, or leave both quotes out`,
    };
  }
  const set = statements.flatMap(({ name, value }) => (name === null || value === '' ? [] : [[name, value] as const]));
  return { variables: Object.fromEntries(set), notes: findNotes(statements, isOurs), problem: null };
}

function findNotes(statements: readonly EnvStatement[], isOurs: (name: string) => boolean): ConfigNote[] {
  const notes: ConfigNote[] = [];
  const places = new Map<string, EnvStatement[]>();
  for (const statement of statements) {
    const { name, line, text, isCut } = statement;
    if (name === null) {
      const meant = findMeant(text, isOurs);
      if (meant === null) continue;
      notes.push({ name: meant, seen: `line ${line} of .env sets nothing`, fix: `write it as ${meant}=value` });
    } else if (isOurs(name)) {
      places.set(name, [...(places.get(name) ?? []), statement]);
      if (statement.value === '' && OPEN_QUOTE.test(text)) {
        const seen = `line ${line} of .env sets nothing: nothing closes its quote`;
        notes.push({ name, seen, fix: `write it as ${name}=value` });
      }
      if (!isCut) continue;
      const seen = `is cut off in line ${line} of .env, at a # or after a quote`;
      notes.push({ name, seen, fix: 'put the whole value into quotes, or a blank before a comment' });
    }
  }
  for (const [name, found] of places) {
    if (new Set(found.map(({ text }) => text)).size < 2) continue;
    const seen = `is set ${found.length} times in .env, in the lines ${found.map(({ line }) => line).join(', ')}; the last one counts`;
    notes.push({ name, seen, fix: 'remove the others' });
  }
  return notes;
}

/** The fleet's variable that a line means which sets nothing, such as `set NAME=value` or `NAME: value`; null: none. */
function findMeant(text: string, isOurs: (name: string) => boolean): string | null {
  const [before = ''] = text.split('=');
  const words = before.replaceAll(/(?<=\w)[-.](?=\w)/g, '_').match(/[A-Za-z_]\w*/g) ?? [];
  return words.find(isOurs) ?? null;
}

/** Why a file of this kind is not read: reading a pipe or a device may never end. Null: nothing against it. */
function describeKind(path: string): string | null {
  const file = statSync(path);
  const isEmpty = file.isCharacterDevice() && file.rdev === statSync('/dev/null').rdev; // as containers hide a file
  if (file.isFile() || file.isDirectory() || isEmpty) {
    if (file.size <= MOST_BYTES || !file.isFile()) return null;
    return `it has ${file.size} bytes, which is no list of variables: move it away, and write a file of this name`;
  }
  return 'it is a pipe, a socket or a device: write a file of this name';
}

function describeFailure(error: unknown, path: string): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ENOENT') {
    const isLink = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    return isLink ? 'it is a link to a file that is missing: write that file, or remove the link' : null;
  }
  if (code === 'ELOOP') return 'it is a link that leads to itself: remove it, and write a file of this name';
  if (code === 'EISDIR') return 'it is a folder: move it away, and write a file of this name';
  if (code === 'EACCES' || code === 'EPERM') {
    return 'this user may not read it: give it the right (chmod u+r), or start the fleet as its owner';
  }
  return `it cannot be read: ${toMessage(error)}`;
}

/** UTF-8, or UTF-16 with a byte order mark, as some editors of Windows write it. Null: neither. */
function decode(bytes: Buffer): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return isUtf8(bytes) && !bytes.includes(0) ? new TextDecoder().decode(bytes) : null; // both leave out the mark
}

function describeEncoding(bytes: Buffer): string {
  if (bytes.includes(0)) return 'it is no text in UTF-8 (perhaps UTF-16): save it as UTF-8';
  const lines = bytes.toString('latin1').split('\n');
  const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1;
  return `line ${line} is not in UTF-8 (perhaps Latin-1): save the file as UTF-8`;
}
