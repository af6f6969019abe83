import { listContexts } from '../../contexts/memory-contexts.ts';
import { NotFoundError } from '../../errors.ts';
import { readLedger } from '../../ledger/report/report.ts';
import { toUsd } from '../../pricing/money.ts';
import type { Db } from '../../redis/db.ts';
import type { ShardState } from '../types.ts';

/** Reads what a memory shard holds and costs. @throws NotFoundError where nothing has this shard's name */
export async function readShard(db: Db, name: string): Promise<ShardState> {
  const [findings, contexts, entries] = await Promise.all([
    db.redis.zcard(db.keys.indexByShard(name)),
    listContexts(db),
    readLedger(db),
  ]);
  const context = contexts.find((info) => info.name === name) ?? null;
  const own = entries.filter(({ shard }) => shard === name);
  if (context === null && findings === 0 && own.length === 0) {
    throw new NotFoundError(`memory shard ${name}: no context, finding or cost has this name`);
  }
  const sum = (measure: 'tasks' | 'calls' | 'nano'): number => own.reduce((total, entry) => total + entry[measure], 0);
  return {
    shard: name,
    context,
    findings,
    tasks: sum('tasks'),
    calls: sum('calls'),
    costUsd: toUsd(sum('nano')),
    costNanoUsd: sum('nano'),
  };
}
