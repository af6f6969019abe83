import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../errors.ts';
import { makeFolderSync } from '../../files/make-folder.ts';

const choiceSchema = z.object({ port: z.int().min(1).max(65_535), folder: z.string().min(1) });

/** Stored choice of a Redis of the fleet's own for a swarm. `fleet up --embedded` makes it; it does not depend on a checkout. */
export type EmbeddedChoice = z.output<typeof choiceSchema>;

/** Default port. It is not the usual 6379, which another Redis of this machine may use. */
export const EMBEDDED_PORT = 6_390;

/** @param swarm null: the default one. @returns null where the swarm uses the Redis of `REDIS_URL`. @throws ConfigError for a damaged file */
export function readEmbeddedChoice(dataFolder: string, swarm: string | null): EmbeddedChoice | null {
  const path = choicePath(dataFolder, swarm);
  if (!existsSync(path)) return null;
  try {
    return choiceSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new ConfigError(
      `the environment is wrong:\n  FLEET_DATA: ${path}, the choice of a Redis of the fleet's own, cannot be read: remove it, then fleet up --embedded`,
      { cause: error },
    );
  }
}

/** @param choice null: use `REDIS_URL` again; the data are kept */
export function writeEmbeddedChoice(dataFolder: string, swarm: string | null, choice: EmbeddedChoice | null): void {
  const path = choicePath(dataFolder, swarm);
  if (choice === null) return rmSync(path, { force: true });
  makeFolderSync(dirname(path), { mode: 0o700, setting: 'FLEET_DATA' });
  writeFileSync(path, `${JSON.stringify(choice)}\n`, { mode: 0o600 });
}

/** The data folder of the swarm's own Redis. */
export function embeddedFolder(dataFolder: string, swarm: string | null): string {
  return join(dataFolder, swarm ?? 'fleet', 'redis');
}

export function embeddedUrl(choice: EmbeddedChoice): string {
  return `redis://127.0.0.1:${choice.port}`;
}

function choicePath(dataFolder: string, swarm: string | null): string {
  return join(dataFolder, swarm ?? 'fleet', 'embedded.json');
}
