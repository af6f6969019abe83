import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { makeFolderSync } from '../../files/make-folder.ts';

/** Variable of a process that pm2 starts: path of the file with the secrets that its starter's shell had. */
export const EXPORTED_SECRETS_FILE = 'HAIKU_FLEET_EXPORTED';

const exportedSchema = z.record(z.string(), z.string());

/** Reads the secrets that were handed over to this process, by name; empty where there are none. */
export function readExportedSecrets(env: NodeJS.ProcessEnv): Record<string, string> {
  const path = env[EXPORTED_SECRETS_FILE];
  if (path === undefined || path === '' || !existsSync(path)) return {};
  return exportedSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** Writes the file whole, readable by this user alone. @param secrets by name; none: the file is removed */
export function writeExportedSecrets(path: string, secrets: Record<string, string>): void {
  if (Object.keys(secrets).length === 0) return rmSync(path, { force: true });
  const draft = `${path}.${process.pid}.new`;
  makeFolderSync(dirname(path), { setting: 'PM2_HOME' });
  writeFileSync(draft, `${JSON.stringify(secrets)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}
