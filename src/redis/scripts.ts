import type { Redis } from 'ioredis';
import { defineCommand, loadScript } from './scripting/script-file.ts';
import { groupCalls, type GroupCall } from './scripting/script-group.ts';
import { createKeyList, type AnyKeys } from './scripting/script-keys.ts';
import type { KeySpec, NamedKeys, ScriptArgument, ScriptCall, ScriptSpec } from './scripting/script-types.ts';

/** The keys to which `lib/booking.lua` books one call. */
const BOOKING_KEYS = [
  'turns',
  'lock',
  'reservations',
  'counters',
  'ledgers',
  'totals',
  'cost',
  'outage',
  'outageRow',
  'cooldown',
  'logs',
  'ledgerDays',
  'run',
  'metrics',
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
      'byShard',
      'adopted',
    ],
    optional: ['byBatch'],
    answers: ['adopted', 'answer', 'dated', 'known', 'gone'],
  },
  'answer-listed-task': {
    keys: ['finding', 'aliases', 'findings', 'task', 'listed'],
    answers: ['told', 'known', 'elsewhere'],
  },
  'answer-old-query': { keys: ['finding', 'aliases', 'findings', 'asked'], answers: ['told', 'told-again', 'known'] },
  'ask-peers': { keys: ['turns', 'lock'], answers: { list: ['open', 'closed', 'too-many', 'lock-lost'] } },
  'approve-plan': { keys: ['mission', 'spend'], answers: ['approved', 'already', 'stale'] },
  'begin-turn': {
    keys: [
      'halt',
      'cancelled',
      'cooldown',
      'outage',
      'reservations',
      'counters',
      'budget',
      'daySpends',
      'begun',
      'metrics',
    ],
    rest: 'spends',
    own: { keys: ['turns', 'lock', 'finding'], optional: ['asker', 'spend'] },
    answers: {
      list: ['done', 'taken', 'lock-lost', 'cancelled', 'halted', 'replay', 'cooling', 'budget', 'reserved'],
    },
  },
  'begun-first': { keys: ['begunDelayed', 'delayed', 'wait'], answers: 'number' },
  'change-patch': {
    keys: ['record', 'text', 'patches', 'conflicts', 'finding', 'index', 'contextActive'],
    answers: ['changed', 'stale'],
  },
  'claim-listed-task': { keys: ['queue', 'task', 'listed'], answers: ['claimed', 'elsewhere'] },
  'claim-old-task': {
    keys: ['claimed', 'result', 'lock', 'logs', 'counters', 'cancelled', 'oldEnds', 'oldClaims', 'oldHeld', 'activity'],
    answers: { list: ['claimed', 'held', 'elsewhere', 'done', 'cancelled', 'lock-lost'] },
  },
  'change-rule': { keys: ['rules', 'rule', 'version', 'activity'], answers: ['changed', 'same', 'none'] },
  'claim-task': {
    keys: [
      'halt',
      'meta',
      'active',
      'wait',
      'prioritized',
      'delayed',
      'stalled',
      'events',
      'leases',
      'offered',
      'parked',
      'runs',
    ],
    rest: 'jobs',
    answers: { list: ['claimed', 'halted', 'paused', 'none'] },
  },
  'close-peers': { keys: ['turns', 'lock', 'helped'], answers: { list: ['closed', 'lock-lost'] } },
  'close-reservation': { keys: ['turns', 'reservations', 'counters', 'metrics'], answers: 'number' },
  'compact-findings': {
    keys: ['summary', 'index', 'condensed', 'contextActive', 'events', 'counters', 'turns', 'pieces', 'reservations'],
    rest: 'others',
    answers: ['recorded', 'already', 'taken', 'changed'],
  },
  'count-cancelled': { keys: ['failed', 'cancelledEnds'], answers: 'number' },
  'count-event': { keys: ['counters', 'once'], answers: 'number' },
  'current-session': {
    keys: ['session', 'costs', 'costOther', 'booked', 'totals'],
    answers: 'text',
  },
  'delete-if': { keys: ['hash'], answers: 'number' },
  'drop-entry': { keys: ['list'], answers: 'number' },
  'failure-reasons': { keys: ['failed'], answers: 'values' },
  'find-ended': { keys: ['index'], answers: 'values' },
  'find-jobs': { keys: ['set'], answers: 'values' },
  'finish-answer': {
    keys: [...BOOKING_KEYS, 'finding', 'answers', 'response', 'activity'],
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
      'byShard',
      'reservations',
      'counters',
      'run',
      'metrics',
    ],
    answers: ['recorded', 'already', 'taken', 'lock-lost'],
  },
  'finish-task': {
    keys: [
      'reservations',
      'counters',
      'ledgers',
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
      'byShard',
      'metrics',
    ],
    optional: ['byBatch', 'batchFailed', 'batchFacts'],
    own: {
      keys: ['turns', 'lock', 'logs', 'finding', 'run'],
      optional: ['spend', 'oldResult', 'oldClaimed', 'oldError', 'oldEnds', 'oldClaims'],
    },
    answers: ['recorded', 'already', 'taken', 'lock-lost', 'held'],
  },
  'fire-rule': { keys: ['rule', 'fired', 'pending', 'parked', 'activity'], rest: 'spends', answers: 'values' },
  'import-finding': {
    keys: [
      'once',
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
      'adopted',
      'bySession',
      'byShard',
    ],
    optional: ['byBatch'],
    answers: ['imported', 'known'],
  },
  'keep-reply': { keys: ['turns'], answers: 'number' },
  'keep-tools': { keys: ['turns', 'lock'], answers: 'number' },
  'note-activity': { keys: ['activity', 'once'], answers: 'number' },
  'note-change': { keys: ['audit', 'once'], answers: 'text' },
  'note-death': { keys: ['processes', 'deaths', 'active', 'stalled', 'stalledCheck'], answers: 'number' },
  'note-failure': {
    keys: [
      'counters',
      'job',
      'lock',
      'turns',
      'cancelled',
      'cancelledEnds',
      'ledger',
      'ledgerDays',
      'totals',
      'activity',
      'run',
      'metrics',
    ],
    optional: ['batchFailed'],
    answers: 'number',
  },
  'note-finding': {
    keys: ['finding', 'index', 'bySession', 'contextActive', 'session', 'events', 'byShard'],
    answers: ['recorded', 'already'],
  },
  'note-input': { keys: ['reservations'], answers: 'number' },
  'note-load': { keys: ['batch', 'failed', 'once'], answers: 'number' },
  'note-outage': { keys: ['turns', 'outage', 'outageRow', 'cooldown'], answers: 'numbers' },
  'note-places': { keys: [], rest: 'places', answers: 'number' },
  'note-peer': { keys: ['turns', 'helped'], answers: ['ready', 'open', 'closed'] },
  'note-process': { keys: ['processes'], answers: 'values' },
  'note-outcome': { keys: ['counters', 'job', 'logs', 'run'], answers: 'number' },
  'note-quota': {
    keys: ['counters', 'once'],
    rest: 'project',
    answers: ['day-used-up', 'cooling', 'day-begins', 'clock'],
  },
  'note-replies': { keys: ['sizes'], answers: 'numbers' },
  'note-run': { keys: ['job', 'run'], answers: 'number' },
  'note-shard': { keys: ['state', 'counters', 'once'], answers: 'number' },
  'note-departure': { keys: ['starts', 'tokens'], answers: 'number' },
  'note-timeout': { keys: ['turns', 'outage', 'outageRow'], answers: ['first', 'repeated'] },
  pace: { keys: ['state', 'paced', 'halt', 'counters'], answers: 'text' },
  'pay-owed': {
    keys: ['owed', 'booked', 'costs', 'costOther'],
    answers: 'number',
  },
  'plan-permit': { keys: ['turn', 'counters'], rest: 'projects', answers: 'values' },
  'raise-calls': { keys: ['project'], rest: 'shards', answers: 'number' },
  'release-chain': { keys: ['rule', 'pending', 'parked'], answers: ['released', 'gone'] },
  'release-lease': { keys: ['lease'], answers: 'number' },
  'renew-claim': { keys: ['leases', 'lock', 'stalled'], answers: 'number' },
  'renew-locks': { keys: ['stalled'], rest: 'locks', answers: 'numbers' },
  'renew-old-claims': { keys: ['oldClaims'], rest: 'claimed', answers: 'number' },
  'replace-context': { keys: ['context', 'contexts', 'versions'], answers: ['stored'] },
  'restore-findings': {
    keys: ['summary', 'index', 'condensed', 'retracted', 'contextActive', 'events', 'byShard'],
    rest: 'originals',
    answers: { list: ['restored', 'changed', 'already'] },
  },
  'restore-permits': { keys: ['starts', 'tokens'], answers: 'number' },
  'retract-finding': {
    keys: ['finding', 'index', 'retracted', 'contextActive', 'events'],
    answers: ['retracted', 'already', 'changed'],
  },
  'return-permit': { keys: [], rest: 'project', answers: 'number' },
  'return-task': {
    keys: [
      'leases',
      'offered',
      'active',
      'wait',
      'delayed',
      'stalled',
      'events',
      'meta',
      'marker',
      'counters',
      'job',
      'lock',
      'logs',
      'run',
    ],
    answers: ['returned', 'kept'],
  },
  'sample-tallies': { keys: ['metrics'], rest: 'samples', answers: 'number' },
  'save-rule': { keys: ['rules', 'rule', 'version', 'spend'], answers: ['saved', 'same', 'taken'] },
  'settle-permit': { keys: ['tokens'], answers: 'number' },
  'settle-turn': { keys: BOOKING_KEYS, answers: ['stored', 'booked', 'lock-lost'] },
  'settle-uncertain': {
    keys: ['reservations', 'counters', 'ledgers', 'totals', 'cost', 'ledgerDays', 'settlements', 'metrics'],
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
