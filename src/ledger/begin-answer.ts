import { describeHalt, parseHalt } from '../halt/halt.ts';
import type { Keys } from '../redis/keys.ts';
import type { BeginAnswer, JobTotals } from './types.ts';
import { NO_USAGE } from '../pricing/tokens.ts';

/** Reads what begin-turn.lua answers. */
export function toBeginAnswer(answer: (string | number)[], keys: Keys): BeginAnswer {
  const [kind = '', ...rest] = answer.map(String);
  switch (kind) {
    case 'reserved':
      return { kind, epoch: rest[0] ?? '0', reservation: rest[1] ?? '' };
    case 'replay': {
      const stored = new Map<string, string>();
      for (let at = 2; at < rest.length; at += 2) stored.set(rest[at] ?? '', rest[at + 1] ?? '');
      return { kind, epoch: rest[0] ?? '0', totals: toTotals(rest[1] ?? ''), stored };
    }
    case 'done':
      return { kind, finding: rest[0] ?? '' };
    case 'taken':
    case 'lock-lost':
    case 'cancelled':
      return { kind };
    case 'halted':
      return { kind, reason: describeHalt(parseHalt(rest[0] ?? '')) };
    case 'cooling':
      return { kind, delayMs: Number(rest[0]) };
    case 'budget': {
      const [where = 'day', ...amounts] = rest;
      const [limit = 0, settled = 0, reserved = 0, uncertain = 0, worst = 0] = amounts.map(Number);
      const [scope, name] = where === 'day' ? ['day', ''] : toScope(where, keys);
      return {
        kind,
        scope: scope as 'day' | 'task' | 'batch' | 'mission',
        name,
        limit,
        spent: settled + reserved + uncertain,
        held: settled + uncertain + worst <= limit,
      };
    }
    default:
      throw new TypeError(`begin-turn: unknown answer ${JSON.stringify(kind)}`);
  }
}

/** `{fleet}:spend:batch:nightly` → `['batch', 'nightly']`. */
function toScope(key: string, keys: Keys): [string, string] {
  const scope = key.slice(keys.spend('').length);
  const colon = scope.indexOf(':');
  return [scope.slice(0, colon), scope.slice(colon + 1)];
}

function toTotals(json: string): JobTotals {
  return json === '' ? { nanoUsd: 0, usage: { ...NO_USAGE }, calls: 0 } : (JSON.parse(json) as JobTotals);
}
