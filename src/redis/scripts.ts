import type { Redis } from 'ioredis';
import { defineCommand, loadScript } from './script-file.ts';
import { groupCalls, type GroupCall } from './script-group.ts';
import { createKeyList, type AnyKeys } from './script-keys.ts';
import type { KeySpec, NamedKeys, ScriptArgument, ScriptCall, ScriptSpec } from './script-types.ts';

/** The keys to which `lib/booking.lua` books one call. */
const BOOKING_KEYS = [
  'turns',
  'lock',
  'reservations',
  'counters',
  'spend',
  'ledger',
  'totals',
  'cost',
  'outage',
  'outageRow',
  'cooldown',
  'logs',
  'ledgerDays',
] as const;

/** Every script of `src/redis/scripts/`, by its file name without `.lua`. The header of the file declares the same keys. */
export const SCRIPTS = {
  'admit-plan': { keys: ['delegation', 'totals', 'mission'], answers: 'numbers' },
  'adopt-finding': {
    keys: [
      'finding',
      'index',
      'answers',
      'retracted',
      'condensed',
      'contextActive',
      'session',
      'events',
      'counters',
      'bySession',
    ],
    optional: ['byBatch'],
    answers: ['adopted', 'answer', 'known', 'gone'],
  },
  'begin-turn': {
    keys: ['halt', 'cancelled', 'cooldown', 'outage', 'reservations', 'counters', 'budget', 'daySpend'],
    rest: 'spends',
    own: { keys: ['turns', 'lock', 'finding'], optional: ['spend'] },
    answers: {
      list: ['done', 'taken', 'lock-lost', 'cancelled', 'halted', 'replay', 'cooling', 'budget', 'reserved'],
    },
  },
  'begun-first': { keys: ['begunDelayed', 'delayed', 'wait'], answers: 'number' },
  'change-patch': {
    keys: ['record', 'text', 'patches', 'conflicts', 'finding', 'index', 'contextActive'],
    answers: ['changed', 'stale'],
  },
  'close-reservation': { keys: ['turns', 'reservations', 'counters'], answers: 'number' },
  'compact-findings': {
    keys: ['summary', 'index', 'condensed', 'contextActive', 'events', 'counters', 'turns', 'pieces'],
    rest: 'others',
    answers: ['recorded', 'already', 'taken', 'changed'],
  },
  'current-session': {
    keys: ['session', 'costHaiku', 'costSonnet', 'costGemini', 'costOther', 'booked', 'totals'],
    answers: 'text',
  },
  'delete-if': { keys: ['hash'], answers: 'number' },
  'failure-reasons': { keys: ['failed'], answers: 'values' },
  'finish-answer': {
    keys: [...BOOKING_KEYS, 'finding', 'answers', 'response'],
    answers: ['recorded', 'already', 'taken', 'lock-lost'],
  },
  'finish-mission': {
    keys: [
      'turns',
      'lock',
      'logs',
      'finding',
      'index',
      'bySession',
      'contextActive',
      'session',
      'events',
      'mission',
      'added',
    ],
    answers: ['recorded', 'already', 'taken', 'lock-lost'],
  },
  'finish-task': {
    keys: [
      'reservations',
      'counters',
      'ledger',
      'totals',
      'cost',
      'outage',
      'outageRow',
      'cooldown',
      'ledgerDays',
      'index',
      'bySession',
      'contextActive',
      'session',
      'events',
      'mission',
    ],
    optional: ['byBatch', 'batchFailed', 'batchFacts'],
    own: { keys: ['turns', 'lock', 'logs', 'finding'], optional: ['spend'] },
    answers: ['recorded', 'already', 'taken', 'lock-lost'],
  },
  'import-finding': {
    keys: [
      'finding',
      'kept',
      'index',
      'answers',
      'condensed',
      'retracted',
      'contextActive',
      'session',
      'events',
      'counters',
      'bySession',
    ],
    optional: ['byBatch'],
    answers: ['imported', 'known'],
  },
  'keep-reply': { keys: ['turns'], answers: 'number' },
  'keep-tools': { keys: ['turns', 'lock'], answers: 'number' },
  'note-finding': {
    keys: ['finding', 'index', 'bySession', 'contextActive', 'session', 'events'],
    answers: ['recorded', 'already'],
  },
  'note-outage': { keys: ['turns', 'outage', 'outageRow', 'cooldown'], answers: 'numbers' },
  'note-quota': {
    keys: ['counters'],
    rest: 'project',
    answers: ['day-used-up', 'cooling', 'day-begins', 'clock'],
  },
  'note-shard': { keys: ['state', 'counters'], answers: 'number' },
  'note-timeout': { keys: ['turns', 'outage', 'outageRow'], answers: ['first', 'repeated'] },
  pace: { keys: ['state', 'paced', 'halt', 'counters'], answers: 'text' },
  'plan-permit': { keys: ['turn', 'counters'], rest: 'projects', answers: 'values' },
  'release-lease': { keys: ['lease'], answers: 'number' },
  'renew-locks': { keys: ['stalled'], rest: 'locks', answers: 'numbers' },
  'restore-findings': {
    keys: ['summary', 'index', 'condensed', 'retracted', 'contextActive', 'events'],
    rest: 'originals',
    answers: { list: ['restored', 'changed', 'already'] },
  },
  'restore-permits': { keys: ['starts', 'tokens'], answers: 'number' },
  'retract-finding': {
    keys: ['finding', 'index', 'retracted', 'contextActive', 'events'],
    answers: ['retracted', 'already', 'changed'],
  },
  'return-permit': { keys: [], rest: 'project', answers: 'number' },
  'settle-permit': { keys: ['tokens'], answers: 'number' },
  'settle-turn': { keys: BOOKING_KEYS, answers: ['stored', 'booked', 'lock-lost'] },
  'settle-uncertain': {
    keys: ['reservations', 'counters', 'ledger', 'totals', 'cost', 'ledgerDays', 'settlements'],
    optional: ['job', 'logs'],
    answers: ['settled', 'changed'],
  },
  'sweep-reservation': { keys: ['turns', 'reservations', 'counters'], rest: 'jobs', answers: 'number' },
  'take-permit': {
    keys: ['counters', 'epoch'],
    rest: 'project',
    answers: { timed: ['granted', 'closed', 'clock', 'lost'] },
  },
  'wake-mission': {
    keys: ['dependencies', 'waitingChildren', 'wait', 'meta', 'marker', 'events', 'job'],
    rest: 'children',
    answers: 'numbers',
  },
} as const satisfies Record<string, ScriptSpec>;

type Table = typeof SCRIPTS;
export type ScriptName = keyof Table;

/** The keys of a call of this script, by name. */
export type KeysOf<Name extends ScriptName> = NamedKeys<Table[Name]>;
export type Scripts = {
  [Name in ScriptName]: Table[Name] extends { own: KeySpec } ? GroupCall<Table[Name]> : ScriptCall<Table[Name]>;
};

/** Registers the scripts on a connection. @throws Error when a file declares other keys than the table */
export function defineScripts(redis: Redis): Scripts {
  const calls = Object.entries<ScriptSpec>(SCRIPTS).map(([name, spec]) => {
    const { header, lua } = loadScript(name);
    assertSameKeys(name, spec, header.keys);
    assertSameKeys(name, spec.own ?? { keys: [] }, header.own ?? { keys: [] });
    return [name, spec.own === undefined ? defineOne(redis, name, spec, lua) : groupCalls(redis, name, spec, lua)];
  });
  return Object.fromEntries(calls) as Scripts;
}

function defineOne(redis: Redis, name: string, spec: KeySpec, lua: string) {
  const run = defineCommand(redis, name, lua);
  const toList = createKeyList(name, spec);
  return async (keys: AnyKeys, args: readonly ScriptArgument[]): Promise<unknown> => {
    const list: ScriptArgument[] = toList(keys);
    const keyCount = list.length;
    for (const arg of args) list.push(arg);
    return run(keyCount, list);
  };
}

function assertSameKeys(name: string, spec: KeySpec, header: KeySpec): void {
  const [here, there] = [describeKeys(spec), describeKeys(header)];
  if (here !== there) throw new Error(`${name}.lua: declares the keys "${there}", the table of scripts "${here}"`);
}

/** In the notation of a script's header. */
function describeKeys({ keys, optional = [], rest }: KeySpec): string {
  const names = [...keys, ...optional.map((name) => `[${name}]`), ...(rest === undefined ? [] : [`${rest}...`])];
  return names.join(' ').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
