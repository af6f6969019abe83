import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { defineCommand } from './script-call.ts';
import { groupCalls } from './script-group.ts';

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
  'release-lease',
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

/** Scripts that do their step for many jobs at once. Every job takes them, so what they cost is what a job costs. */
const GROUPED = ['begin-turn', 'finish-task'] as const satisfies ScriptName[];
type GroupedName = (typeof GROUPED)[number];

/** Runs one script as one atomic step. Every key it touches is in `keys`: a Redis Cluster needs that. */
type ScriptCall = (keys: string[], args: (string | number)[]) => Promise<unknown>;
type GroupCall = ReturnType<typeof groupCalls>;
export type Scripts = Record<Exclude<ScriptName, GroupedName>, ScriptCall> & Record<GroupedName, GroupCall>;

interface LoadedScript {
  /** The script with what it includes before it. */
  lua: string;
  /** Fewest keys a call may bring. */
  keyCount: number;
}

const folder = new URL('scripts/', import.meta.url);

/** Registers the scripts on a connection. */
export function defineScripts(redis: Redis): Scripts {
  const calls = SCRIPT_NAMES.map((name): [ScriptName, ScriptCall | GroupCall] => {
    const { keyCount, lua } = loadScript(name);
    if ((GROUPED as readonly string[]).includes(name)) return [name, groupCalls(redis, name, lua)];
    const run = defineCommand(redis, name, lua);
    const call: ScriptCall = async (keys, args) => {
      if (keys.length < keyCount) throw new TypeError(`${name}: expected ${keyCount} keys, got ${keys.length}`);
      return run(keys.length, [...keys, ...args]);
    };
    return [name, call];
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
  return { lua: `${includes.join('\n')}\n${text}`, keyCount: Number(keyCount) };
}
