import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { batchCalls } from './script-batch.ts';

/**
 * Every script of `src/redis/scripts/`, by its file name without `.lua`. A script's first lines say what it does and what
 * it answers (`-- name: …`); `--@keys N` says how many keys it takes at least; `--@include NAME` stands for `lib/NAME.lua`.
 */
export const SCRIPT_NAMES = [
  'admit-plan',
  'adopt-finding',
  'begin-turn',
  'close-reservation',
  'condense-findings',
  'current-session',
  'delete-if',
  'failure-reasons',
  'finish-answer',
  'finish-mission',
  'finish-task',
  'import-finding',
  'keep-reply',
  'keep-tools',
  'note-finding',
  'note-quota',
  'note-shard',
  'plan-permit',
  'renew-locks',
  'restore-findings',
  'restore-permits',
  'return-permit',
  'settle-permit',
  'retract-finding',
  'settle-turn',
  'sweep-reservation',
  'take-permit',
  'wake-mission',
] as const;
type ScriptName = (typeof SCRIPT_NAMES)[number];

/** Runs one script as one atomic step. Every key it touches is in `keys`: a Redis Cluster needs that. */
type ScriptCall = (keys: string[], args: (string | number)[]) => Promise<unknown>;
export type Scripts = Record<ScriptName, ScriptCall>;

interface LoadedScript {
  /** The script without its includes. */
  body: string;
  /** What it includes, to stand before it. */
  includes: string;
  /** Fewest keys a call may bring. */
  keyCount: number;
}

const folder = new URL('scripts/', import.meta.url);

/**
 * Registers the scripts on a connection. They travel by their hash; a Redis that lost them (restart, `SCRIPT FLUSH`) is
 * sent the text again by ioredis.
 */
export function defineScripts(redis: Redis): Scripts {
  const calls = SCRIPT_NAMES.map((name): [ScriptName, ScriptCall] => {
    const { keyCount, ...script } = loadScript(name);
    const run = batchCalls(redis, name, script);
    return [
      name,
      async (keys, args) => {
        if (keys.length < keyCount) throw new TypeError(`${name}: expected ${keyCount} keys, got ${keys.length}`);
        return run(keys, args);
      },
    ];
  });
  return Object.fromEntries(calls) as Scripts;
}

/** Reads one script and puts its includes in place. @throws Error when a file, its contract line or its key count is missing */
export function loadScript(name: string): LoadedScript {
  const text = readFileSync(new URL(`${name}.lua`, folder), 'utf8');
  if (!text.startsWith(`-- ${name}: `))
    throw new Error(`${name}.lua: the first line must be "-- ${name}: what it does"`);
  const keyCount = /^--@keys (\d+)$/m.exec(text)?.[1];
  if (keyCount === undefined) throw new Error(`${name}.lua: a line "--@keys N" is missing`);
  const includes = [...text.matchAll(/^--@include (\S+)$/gm)].map(([, part]) =>
    readFileSync(new URL(`lib/${part}.lua`, folder), 'utf8'),
  );
  return { body: text, includes: includes.join('\n'), keyCount: Number(keyCount) };
}
