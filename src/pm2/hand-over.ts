import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/environment.ts';
import { EXPORTED_SECRETS_FILE, readExportedSecrets, writeExportedSecrets } from '../config/source/exported-secrets.ts';
import { forgetSecrets } from '../config/own-environment.ts';
import { daemonFolder } from './daemon.ts';

/** pm2's namespace of a swarm. */
export function toNamespace(config: Config): string {
  return config.FLEET_SWARM ?? 'fleet';
}

/** The file of the secrets that processes of a namespace have from a shell. In pm2's folder: there a namespace exists once. */
export function exportedSecretsPath(namespace: string): string {
  return resolve(join(daemonFolder(), `haiku-fleet.${namespace}.secrets.json`));
}

/**
 * Hands the secrets of this shell to the processes that pm2 starts, in a file of this user, and drops them from this process:
 * pm2 stores the variables of the process that calls it, shows them (`pm2 env`, `pm2 jlist`) and saves them (`pm2 save`).
 * @param isFirst nothing of the swarm runs: secrets of an earlier shell are forgotten
 */
export function handOverSecrets(config: Config, isFirst: boolean): void {
  const path = exportedSecretsPath(toNamespace(config));
  const earlier = isFirst ? {} : readExportedSecrets({ [EXPORTED_SECRETS_FILE]: path });
  if (Object.keys(config.shellSecrets).length > 0 || isFirst) {
    writeExportedSecrets(path, { ...earlier, ...config.shellSecrets });
  }
  forgetSecrets();
}

/** Removes what `handOverSecrets` wrote. */
export function forgetHandedOver(config: Config): void {
  const path = exportedSecretsPath(toNamespace(config));
  if (existsSync(path)) writeExportedSecrets(path, {});
}
