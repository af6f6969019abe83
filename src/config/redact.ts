import type { Config } from './environment.ts';

/** Patterns of the providers' keys, for keys that are not in the configuration. */
const KEY_SHAPES = /\b(?:sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{20,})/g;

/**
 * Returns a function that replaces the given values, and everything that looks like a provider's key, in a text. Values under
 * 6 characters are not replaced: they occur in ordinary words.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const shapes = secrets
    .filter((secret) => secret.length >= 6)
    // As it is, as in a JSON string, and as in an address.
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
    .toSorted((a, b) => b.length - a.length);
  const unique = [...new Set(shapes)];
  return (text) =>
    unique.reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text).replace(KEY_SHAPES, '[redacted]');
}

/** Values of the configuration that no log, error or page may show. */
export function configSecrets(config: Config): string[] {
  const password = decodeURIComponent(new URL(config.REDIS_URL).password);
  const shardKeys = config.shards.map((shard) => shard.apiKey);
  return [
    config.ANTHROPIC_API_KEY,
    config.ANTHROPIC_ADMIN_KEY,
    config.GEMINI_API_KEY,
    ...shardKeys,
    config.DEEPSEEK_API_KEY,
    config.DASHBOARD_PASSWORD,
    config.FLEET_NOTIFY?.startsWith('http') ? config.FLEET_NOTIFY : undefined, // such an address often contains a token
    password,
  ].filter((value) => value !== undefined);
}
