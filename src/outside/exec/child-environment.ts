import { withoutSecrets } from '../../config/own-environment.ts';
import type { Config } from '../../config/environment.ts';
import { configSecrets } from '../../config/redact.ts';
import { UsageError } from '../../errors.ts';

/**
 * The variables of a program that does tasks: those of this process without the fleet's secrets, whatever their name.
 * @param names variables that it gets all the same; of the fleet's own also from `.env`
 * @throws UsageError for one that is not set
 */
export function toChildEnvironment(
  config: Config,
  names: readonly string[],
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  const secrets = new Set(configSecrets(config));
  const open = Object.entries(withoutSecrets(env)).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !secrets.has(entry[1]),
  );
  const named = names.map((name): [string, string] => {
    const configured: unknown = Reflect.get(config, name);
    const value = env[name] ?? (typeof configured === 'string' ? configured : undefined);
    if (value === undefined) throw new UsageError(`--env ${name}: it is not set; set it, or leave it out`);
    return [name, value];
  });
  return Object.fromEntries([...open, ...named]);
}
