import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { toLooks } from './key-kinds.ts';
import type { KeySpec, ScriptArgument } from './script-types.ts';

/** The declarations in the first lines of a script. Names of keys are in snake case, as the script uses them. */
interface ScriptHeader {
  keys: KeySpec;
  /** Keys of each job; null for a script that does not serve many jobs at once. */
  own: KeySpec | null;
  /** Kind of the answer; empty for a single word. */
  answerKind: string;
  /** The possible words; empty where the answer is no word. */
  words: string[];
}

interface LoadedScript {
  header: ScriptHeader;
  /** The script after its includes, with its keys as local variables. */
  lua: string;
}

const folder = new URL('../scripts/', import.meta.url);
/** Kinds of answers that the header describes, instead of listing words. */
const DESCRIBED = new Set(['number', 'numbers', 'text', 'values']);

/**
 * Reads one script. `--@include NAME` inserts `lib/NAME.lua`; `--@keys a b [c] d...` assigns the keys of a call to local
 * variables, `[c]` is optional, `d...` is a table of all further keys; `--@own` does the same for the keys of one job;
 * `--@answers` lists the answers.
 * @throws Error when a file, its contract line, its keys or its answers are missing
 */
export function loadScript(name: string): LoadedScript {
  const text = readFileSync(new URL(`${name}.lua`, folder), 'utf8');
  const header = readHeader(name, text);
  const includes = [...text.matchAll(/^--@include (\S+)$/gm)].map(([, part]) =>
    readFileSync(new URL(`lib/${part}.lua`, folder), 'utf8'),
  );
  const body = text.replace(/^--@keys .*$/m, () => toLocals(name, header));
  return { header, lua: `${toOwnPlaces(header.own)}${includes.join('\n')}\n${body}` };
}

function readHeader(name: string, text: string): ScriptHeader {
  if (!text.startsWith(`-- ${name}: `))
    throw new Error(`${name}.lua: the first line must be "-- ${name}: what it does"`);
  const keys = /^--@keys (.+)$/m.exec(text)?.[1];
  if (keys === undefined) throw new Error(`${name}.lua: a line "--@keys NAME …" is missing`);
  const own = /^--@own (.+)$/m.exec(text)?.[1];
  const answers = [...text.matchAll(/^--@answers (?:([a-z]+): )?(.+)$/gm)];
  const kind = answers[0]?.[1] ?? '';
  if (answers.length === 0) throw new Error(`${name}.lua: a line "--@answers …" is missing`);
  const words = answers.flatMap(([, , line = '']) => line.replace(/\([^)]*\)/g, '').split('|'));
  return {
    keys: toKeySpec(keys),
    own: own === undefined ? null : toKeySpec(own),
    answerKind: kind,
    words: DESCRIBED.has(kind) ? [] : words.map((answer) => answer.trim().split(' ')[0] ?? ''),
  };
}

function toKeySpec(line: string): KeySpec {
  const names = line.trim().split(/\s+/);
  const optional = names.filter((name) => name.startsWith('[')).map((name) => name.slice(1, -1));
  const rest = names.find((name) => name.endsWith('...'))?.slice(0, -3);
  return {
    keys: names.filter((name) => /^\w+$/.test(name)),
    ...(optional.length === 0 ? {} : { optional }),
    ...(rest === undefined ? {} : { rest }),
  };
}

/** The Lua statements for a `--@keys` line: its local variables, and a look at what they hold. In a step for many jobs, the jobs' own keys follow the shared ones. */
function toLocals(script: string, { keys: { keys, optional = [], rest }, own }: ScriptHeader): string {
  const end = own === null ? '#KEYS' : 'shared.keys';
  const names = [...keys, ...optional];
  const values = names.map((_, i) => (i < keys.length ? `KEYS[${i + 1}]` : `${end} > ${i} and KEYS[${i + 1}] or nil`));
  const named = names.length === 0 ? '' : `local ${names.join(', ')} = ${values.join(', ')}`;
  const looks = toLooks(script, names, keys.length);
  if (rest === undefined) return `${named}${looks}`;
  return `${named}${looks} local ${rest} = {} for i = ${names.length + 1}, ${end} do ${rest}[#${rest} + 1] = KEYS[i] end`.trim();
}

/** The positions of a job's own keys, for `lib/group.lua`. */
function toOwnPlaces(own: KeySpec | null): string {
  if (own === null) return '';
  const names = [...own.keys, ...(own.optional ?? [])];
  return `local OWN = { ${names.map((name, i) => `${name} = ${i + 1}`).join(', ')} }\n`;
}

/**
 * Registers a script on a connection. A call sends the script's hash; where Redis does not know the hash (after a restart or
 * `SCRIPT FLUSH`), ioredis sends the text.
 */
export function defineCommand(
  redis: Redis,
  name: string,
  lua: string,
): (keyCount: number, keysAndArgs: ScriptArgument[]) => Promise<unknown> {
  const command = `fleet:${name}`;
  redis.defineCommand(command, { lua: withoutComments(name, lua) });
  const run = Reflect.get(redis, command) as (...args: ScriptArgument[]) => Promise<unknown>;
  return (keyCount, keysAndArgs) => run.call(redis, keyCount, ...keysAndArgs);
}

/**
 * Empties the lines that are comments, but for the one that names the script, which MONITOR and SLOWLOG show. Each process, and Redis,
 * keeps the texts of all scripts in memory; comments are half of them. The lines stay, so that the numbers in Redis' messages are
 * those of the text with its includes.
 */
function withoutComments(name: string, lua: string): string {
  return lua.replace(/^[ \t]*--.*$/gm, (line) => (line.startsWith(`-- ${name}: `) ? line : ''));
}
