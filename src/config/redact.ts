import type { Config } from './environment.ts';

/** Keys as the providers shape them, for those that no configuration names. */
const KEY_SHAPES = /\b(?:sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{20,})/g;

/** Takes the given values, and whatever looks like a provider's key, out of a text. Values under 6 characters stay: they would mangle every line. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const shapes = secrets
    .filter((secret) => secret.length >= 6)
    // As it is, as JSON writes it inside a string, and as an address carries it.
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
    config.GEMINI_API_KEY,
    ...shardKeys,
    config.DEEPSEEK_API_KEY,
    config.DASHBOARD_PASSWORD,
    config.FLEET_NOTIFY?.startsWith('http') ? config.FLEET_NOTIFY : undefined, // such an address often is a token
    password,
  ].filter((value) => value !== undefined);
}
