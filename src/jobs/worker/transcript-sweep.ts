import { hostname } from 'node:os';
import type { Config } from '../../config/environment.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { toTranscriptsFolder } from '../../run-record/transcripts/places.ts';
import { sweepTranscripts } from '../../run-record/transcripts/sweep.ts';
import { startUpkeep } from '../../swarm/upkeep.ts';

const EVERY_MS = 600_000;

/**
 * Starts the removal of old transcripts of this host, also where none are written any more: by one of its processes, of any kind, since
 * a host may have librarians alone.
 * @returns what stops it
 */
export function startTranscriptSweep(parts: {
  db: Db;
  config: Pick<Config, 'FLEET_RUN_DAYS' | 'FLEET_SWARM' | 'dataFolder'>;
  log: Logger;
}): () => Promise<void> {
  const { db, config, log } = parts;
  const folder = toTranscriptsFolder(config.dataFolder, config.FLEET_SWARM ?? null);
  const keepMs = config.FLEET_RUN_DAYS * 86_400_000;
  const name = `transcripts-${hostname()}`;
  return startUpkeep({ db, name, everyMs: EVERY_MS, what: 'the sweep of transcripts', log }, () =>
    sweepTranscripts(folder, { keepMs, nowMs: Date.now() }),
  );
}
