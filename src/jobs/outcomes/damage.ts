import type { Job } from 'bullmq';
import { DamagedKeyError, FleetError } from '../../errors.ts';
import type { Db } from '../../redis/db.ts';
import { isDamage, readDamagedKeys, readDamageOfJob } from '../../swarm/damage/damaged-keys.ts';
import { describeForeign } from '../../swarm/damage/foreign-keys.ts';
import type { ForeignKey } from '../../swarm/types.ts';

/**
 * Finds what a run failed on, where Redis refused what a key holds: a key that all jobs share, for which none of them may fail, or
 * one of the job's own.
 * @returns an error that names the key and what to do; what was thrown, where no key is damaged
 */
export async function toDamage(thrown: unknown, job: Job, db: Db): Promise<unknown> {
  if (!isDamage(thrown)) return thrown;
  const session = await db.redis.hget(db.keys.session, 'name').catch(() => null);
  const [shared] = await readDamagedKeys(db, session);
  if (shared !== undefined) return new DamagedKeyError(describe(shared), { cause: thrown });
  const { client, batch, mission_id: mission } = (job.data ?? {}) as Record<string, unknown>;
  const names = { client: toName(client), batch: toName(batch), mission: toName(mission) };
  const [own] = await readDamageOfJob(db, { id: job.id ?? '', ...names });
  return own === undefined ? thrown : new FleetError(describe(own), { cause: thrown });
}

function toName(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function describe(damaged: ForeignKey): string {
  return `${describeForeign(damaged)}; set it aside with ${damaged.command}`;
}
