import { NotFoundError, UsageError } from '../errors.ts';
import { toNanoUsd } from '../pricing/money.ts';
import type { Db } from '../redis/db.ts';
import { toStoredCount, toStoredTime } from '../redis/stored-record.ts';
import { parsePast, type Past } from './past.ts';
import { parseRule, toRecordText, type CheckedRule } from './record.ts';
import { parseSince } from './since.ts';
import type { Rule, RuleState } from './types.ts';

/** Each process that runs rules holds them all. */
const MOST_RULES = 500;
const AMOUNTS = ['limit', 'settled', 'reserved', 'uncertain'] as const;

/** A rule as the process that runs it knows it. */
export interface LoadedRule extends Rule {
  /** Changes whenever a person changes the rule. */
  version: string;
  isPaused: boolean;
  problem: string | null;
  /** Its place in the event stream: the last entry that it has looked at. */
  cursor: string;
  /** When the place was noted, ms. */
  cursorAt: number;
  /** How far it has looked through the indexes. Null: it is not to. */
  past: Past | null;
}

/** Stores a rule, new or in place of the one of its name. @throws UsageError for a name that is taken */
export async function saveRule(
  db: Db,
  name: string,
  rule: CheckedRule,
  { client, replace, cursor }: { client: string | undefined; replace: boolean; cursor: string },
): Promise<void> {
  const { redis, keys, scripts, clock } = db;
  const since = rule.since === undefined ? null : parseSince(rule.since, clock.now());
  const isNew = (await redis.zscore(keys.rules, name)) === null;
  if (isNew && (await redis.zcard(keys.rules)) >= MOST_RULES)
    throw new UsageError(`rules: expected at most ${MOST_RULES}; fleet when rm NAME removes one`);
  const answer = await scripts['save-rule'](
    { rules: keys.rules, rule: keys.rule(name), version: keys.rulesVersion, spend: keys.spend(`rule:${name}`) },
    [
      JSON.stringify({
        name,
        replace: replace ? '1' : '0',
        cursor,
        past:
          since === null
            ? ''
            : JSON.stringify({ from: since, stage: 'index', at: since, skip: 0, seen: 0 } satisfies Past),
        limit: rule.budgetUsd === undefined ? '' : String(toNanoUsd(rule.budgetUsd)),
      }),
      toRecordText(rule, client),
    ],
  );
  if (answer === 'taken') {
    throw new UsageError(
      `rule ${name}: exists already, with other words; fleet when rm ${name} ends it, --replace puts this one in its place`,
    );
  }
  await announceChange(db);
}

/** Pauses, resumes or removes a rule. @returns whether it was otherwise before. @throws NotFoundError */
export async function changeRule(
  db: Db,
  name: string,
  to: 'paused' | 'active' | 'gone',
  problem = '',
): Promise<boolean> {
  const { keys, scripts } = db;
  await assertRule(db, name);
  const answer = await scripts['change-rule'](
    { rules: keys.rules, rule: keys.rule(name), version: keys.rulesVersion, activity: keys.activity },
    [JSON.stringify({ name, to, problem })],
  );
  await announceChange(db);
  return answer === 'changed';
}

/** @throws NotFoundError */
export async function assertRule({ redis, keys }: Db, name: string): Promise<void> {
  if ((await redis.zscore(keys.rules, name)) === null)
    throw new NotFoundError(`rule ${name}: there is none of this name; fleet when ls lists them`);
}

/** The process that runs the rules reads them anew. A lost message costs seconds: it also looks at their version. */
async function announceChange({ redis, keys }: Db): Promise<void> {
  await redis.publish(keys.control, JSON.stringify({ type: 'rules' }));
}

/** Reads all rules, the oldest first. A damaged one is left out: `fleet when ls` names it. */
export async function loadRules({ redis, keys }: Db): Promise<LoadedRule[]> {
  const names = await redis.zrange(keys.rules, '0', '-1');
  if (names.length === 0) return [];
  const chain = redis.pipeline();
  for (const name of names) chain.hgetall(keys.rule(name));
  const hashes = (await chain.exec()) ?? [];
  return names.flatMap((name, i) => toLoaded(name, (hashes[i]?.[1] ?? {}) as Record<string, string>) ?? []);
}

/** @returns null: there is none, or it is damaged */
export async function loadRule({ redis, keys }: Db, name: string): Promise<LoadedRule | null> {
  return toLoaded(name, await redis.hgetall(keys.rule(name)));
}

function toLoaded(name: string, hash: Record<string, string>): LoadedRule | null {
  const rule = parseRule(name, hash);
  if (rule === null) return null;
  const [cursor = '0-0', cursorAt] = (hash['cursor'] ?? '').split('|');
  return {
    ...rule,
    version: hash['version'] ?? '',
    isPaused: hash['paused'] !== undefined,
    problem: hash['problem'] ?? null,
    cursor: /^\d+-\d+$/.test(cursor) ? cursor : '0-0',
    cursorAt: toStoredCount(cursorAt),
    past: parsePast(hash['past']),
  };
}

/** Reads what the rules are and have done. @param parkedOf count of parked chains by rule */
export async function readRuleStates(
  db: Db,
  names: readonly string[],
  parkedOf: ReadonlyMap<string, number>,
): Promise<RuleState[]> {
  const { redis, keys, clock } = db;
  if (names.length === 0) return [];
  const chain = redis.pipeline();
  for (const name of names) chain.hgetall(keys.rule(name)).hmget(keys.spend(`rule:${name}`), ...AMOUNTS);
  const replies = (await chain.exec()) ?? [];
  const today = clock.date().toISOString().slice(0, 10);
  return names.flatMap((name, i): RuleState[] => {
    const hash = (replies[2 * i]?.[1] ?? {}) as Record<string, string>;
    const spent = (replies[2 * i + 1]?.[1] ?? []) as (string | null)[];
    const rule = toLoaded(name, hash);
    if (rule === null) return [];
    const { version: _version, isPaused, cursor: _cursor, cursorAt: _cursorAt, past, ...shown } = rule;
    const [limit = null, settled, reserved, uncertain] = spent;
    return [
      {
        ...shown,
        state: isPaused ? 'paused' : 'active',
        fired: toStoredCount(hash['fired']),
        firedToday: hash['day'] === today ? toStoredCount(hash['day_count']) : 0,
        skipped: { max: toStoredCount(hash['skipped_max']), once: toStoredCount(hash['skipped_once']) },
        parked: parkedOf.get(name) ?? 0,
        lastFinding: hash['last_finding'] ?? null,
        lastFiredAt: hash['last_at'] === undefined ? null : toStoredTime(hash['last_at']).toISOString(),
        catchingUp:
          past === null ? null : { since: toStoredTime(String(past.from)).toISOString(), lookedAt: past.seen },
        budgetNanoUsd: limit === null ? null : toStoredCount(limit),
        settledNanoUsd: toStoredCount(settled),
        reservedNanoUsd: toStoredCount(reserved),
        uncertainNanoUsd: toStoredCount(uncertain),
      },
    ];
  });
}
