import type { Config } from '../../config/environment.ts';
import type { Redact } from '../../config/redact.ts';
import { toTranscriptsFolder } from './places.ts';
import { Transcripts } from './transcripts.ts';

/** @returns null where none are written (`FLEET_TRANSCRIPTS=0`) */
export function openTranscripts(
  config: Pick<Config, 'FLEET_TRANSCRIPTS' | 'FLEET_RUN_DAYS' | 'FLEET_SWARM' | 'dataFolder'>,
  redact: Redact,
): Transcripts | null {
  if (config.FLEET_TRANSCRIPTS === '0') return null;
  const folder = toTranscriptsFolder(config.dataFolder, config.FLEET_SWARM ?? null);
  return new Transcripts(folder, { redact, keepDays: config.FLEET_RUN_DAYS });
}
