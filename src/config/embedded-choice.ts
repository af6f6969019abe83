import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const choiceSchema = z.object({ port: z.int().min(1).max(65_535), folder: z.string().min(1) });

/** That a swarm lives on a redis-server of the fleet's own, made once by `fleet up --embedded` and kept over reinstalls. */
export type EmbeddedChoice = z.output<typeof choiceSchema>;

/** Where one swarm's Redis listens by default; the usual 6379 belongs to whoever runs a Redis already. */
export const EMBEDDED_PORT = 6_390;

/** @param swarm null: the default one. @returns null where the swarm uses the Redis of `REDIS_URL` */
export function readEmbeddedChoice(dataFolder: string, swarm: string | null): EmbeddedChoice | null {
  const path = choicePath(dataFolder, swarm);
  if (!existsSync(path)) return null;
  return choiceSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** @param choice null: back to `REDIS_URL`; the data stay where they are */
export function writeEmbeddedChoice(dataFolder: string, swarm: string | null, choice: EmbeddedChoice | null): void {
  const path = choicePath(dataFolder, swarm);
  if (choice === null) return rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${JSON.stringify(choice)}\n`, { mode: 0o600 });
}

/** The folder of the swarm's own Redis. */
export function embeddedFolder(dataFolder: string, swarm: string | null): string {
  return join(dataFolder, swarm ?? 'fleet', 'redis');
}

export function embeddedUrl(choice: EmbeddedChoice): string {
  return `redis://127.0.0.1:${choice.port}`;
}

function choicePath(dataFolder: string, swarm: string | null): string {
  return join(dataFolder, swarm ?? 'fleet', 'embedded.json');
}
