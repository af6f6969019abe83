import type { Db } from '../../redis/db.ts';
import type { Keys } from '../../redis/keys.ts';
import type { ForeignKey } from '../types.ts';

/** What a private key should hold. */
interface Shape {
  key: string;
  type: 'hash' | 'zset' | 'set' | 'list' | 'stream' | 'string';
  /** Fields that are whole numbers; `all`: every field. */
  numbers?: readonly string[] | 'all';
}

const NAMES = {
  hash: 'a hash',
  zset: 'a sorted set',
  set: 'a set',
  list: 'a list',
  stream: 'a stream',
  string: 'text',
};

/**
 * Finds the private keys that all jobs share and that hold another type, or text in the place of a number: only a mistake of a
 * person or another program makes them so, and the scripts fail on them. Nothing is lost by the commands: a key is renamed.
 * @param session in force; null: its keys are left out
 */
export async function readDamagedKeys(db: Db, session: string | null): Promise<ForeignKey[]> {
  const day = db.clock.date().toISOString().slice(0, 10);
  return findDamage(db, toSharedShapes(db.keys, day, session));
}

/** As `readDamagedKeys`, for the keys that only one job uses, and its client, batch and mission. */
export function readDamageOfJob(
  db: Db,
  job: { id: string; client?: string | undefined; batch?: string | undefined; mission?: string | undefined },
): Promise<ForeignKey[]> {
  const { keys } = db;
  const { id, client, batch, mission = id } = job;
  const shapes: Shape[] = [
    { key: keys.turns(id), type: 'hash' },
    { key: keys.spend(`task:${id}`), type: 'hash', numbers: MONEY },
    { key: keys.mission(mission), type: 'hash' },
    { key: keys.missionAdded(mission), type: 'string' },
    { key: keys.paper(mission), type: 'hash' },
    { key: keys.spend(`mission:${mission}`), type: 'hash', numbers: MONEY },
  ];
  if (client !== undefined) shapes.push({ key: keys.spend(`client:${client}`), type: 'hash', numbers: MONEY });
  if (batch !== undefined) {
    shapes.push(
      { key: keys.batch(batch), type: 'hash', numbers: ['partial', 'tool_errors', 'tasks', 'round'] },
      { key: keys.batchFailed(batch), type: 'set' },
      { key: keys.indexByBatch(batch), type: 'zset' },
      { key: keys.spend(`batch:${batch}`), type: 'hash', numbers: MONEY },
    );
  }
  return findDamage(db, shapes);
}

/** Whether Redis or a script failed on what a key holds. A fault of the fleet's own may look so, too: look at the keys. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && /WRONGTYPE|not an integer|user_script:\d+: .*attempt to/.test(error.message);
}

async function findDamage({ redis }: Db, shapes: readonly Shape[]): Promise<ForeignKey[]> {
  const chain = redis.pipeline();
  for (const { key, numbers = [] } of shapes) {
    chain.type(key);
    if (numbers === 'all') chain.hgetall(key);
    else if (numbers.length > 0) chain.hmget(key, ...numbers);
    else chain.exists(key);
  }
  const replies = ((await chain.exec()) ?? []).map(([error, reply]) => (error === null ? reply : null));
  return shapes.flatMap(({ key, type, numbers = [] }, i): ForeignKey[] => {
    const is = String(replies[2 * i]);
    const expected = NAMES[type];
    if (is !== 'none' && is !== type) {
      const aside = key.replace(/^(\{[^}]*\}:)/, '$1damaged:');
      const command = `redis-cli RENAME '${key}' '${aside}'`;
      return [{ key, holds: NAMES[is as keyof typeof NAMES] ?? `a ${is}`, expected, command }];
    }
    return toFields(replies[2 * i + 1], numbers)
      .filter(([, text]) => text !== null && !/^-?\d{1,18}$/.test(text))
      .map(([field]) => ({
        key: `${key}, field ${field},`,
        holds: 'other text',
        expected: 'a whole number',
        command: `redis-cli HDEL '${key}' '${field}'`,
      }));
  });
}

function toFields(reply: unknown, numbers: NonNullable<Shape['numbers']>): [field: string, text: string | null][] {
  if (numbers === 'all') return Object.entries((reply ?? {}) as Record<string, string>);
  const texts = Array.isArray(reply) ? (reply as (string | null)[]) : [];
  return numbers.map((field, i) => [field, texts[i] ?? null]);
}

const MONEY = ['settled', 'reserved', 'uncertain', 'limit'] as const;

function toSharedShapes(keys: Keys, day: string, session: string | null): Shape[] {
  const hashes = [
    keys.swarmMark,
    keys.workers,
    keys.attendants,
    keys.shardKeys,
    keys.hostClocks,
    keys.halted,
    keys.retracted,
    keys.adopted,
    keys.oldWorkers,
    keys.compaction,
    keys.compactionPieces,
    keys.reservations,
    keys.uncertain,
    keys.treeHosts,
    keys.parked,
    keys.alerts,
    keys.paced,
    keys.modelsInUse,
    keys.reservedFindings,
    keys.contexts,
    keys.clients,
    keys.clientsUsed,
    keys.ledger(day),
  ].map((key): Shape => ({ key, type: 'hash' }));
  const sortedSets = [
    keys.index,
    keys.indexAnswers,
    keys.indexCondensed,
    keys.uncondensed,
    keys.patches,
    keys.missions,
    keys.cancelled,
    keys.cancelledEnds('tasks'),
    keys.cancelledEnds('archive'),
    keys.cancelledEnds('missions'),
    keys.recentFailures,
    keys.waits,
    keys.begunDelayed,
    keys.batches,
  ].map((key): Shape => ({ key, type: 'zset' }));
  const ofSession: Shape[] =
    session === null
      ? []
      : [
          { key: keys.sessionTotals(session), type: 'hash', numbers: 'all' },
          { key: keys.indexBySession(session), type: 'zset' },
          { key: keys.delegation(session), type: 'hash', numbers: 'all' },
        ];
  return [
    ...hashes,
    ...sortedSets,
    ...ofSession,
    { key: keys.session, type: 'hash', numbers: ['findings', 'partial', 'tool_errors'] },
    { key: keys.counters, type: 'hash', numbers: 'all' },
    { key: keys.budget, type: 'hash', numbers: ['day'] },
    { key: keys.spend(`day:${day}`), type: 'hash', numbers: MONEY },
    { key: keys.owed, type: 'hash', numbers: 'all' },
    { key: keys.booked, type: 'hash', numbers: 'all' },
    { key: keys.events, type: 'stream' },
    { key: keys.activity, type: 'stream' },
    { key: keys.begun, type: 'stream' },
    { key: keys.audit, type: 'stream' },
    { key: keys.ledgerDays, type: 'set' },
    { key: keys.unreadable, type: 'set' },
    { key: keys.patchConflicts, type: 'set' },
    { key: keys.settlements, type: 'list' },
  ];
}
