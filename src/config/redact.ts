import { isUtf8 } from 'node:buffer';
import type { Config } from './environment.ts';
import { passwordsOfRedis } from './redis-servers.ts';

/** Returns the text without secrets. */
export type Redact = (text: string) => string;

/** Of a configuration without secrets. */
export const KEEP_ALL: Redact = (text) => text;

/** Stands where a secret was. */
export const REDACTED = '[redacted]';

/** Patterns of the providers' keys, for keys that are not in the configuration. */
const KEY_SHAPES = /\b(?:sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{20,})/g;
/** The tokens of clients, also one that was cut. Redis holds only their hashes, so that no process knows them. */
const TOKEN_START = 'fleet_';
const TOKENS = /fleet_[A-Za-z0-9][A-Za-z0-9._-]{0,39}_[0-9a-f]{32,}/g;
/** Of the shortest text that `TOKENS` fits. Most of what the connection sends are keys and numbers, which are shorter. */
const TOKEN_LENGTH = TOKEN_START.length + 1 + 1 + 32;

/**
 * For logs and error messages. Replaces the given values, and everything that looks like a provider's key. Values under 6
 * characters are not replaced: they occur in ordinary words.
 */
export function createRedactor(secrets: readonly string[]): Redact {
  const replace = createReplacer(secrets.filter((secret) => secret.length >= 6));
  return (text) => redactTokens(replace(text)).replace(KEY_SHAPES, REDACTED);
}

/**
 * For all that is stored, and all that models read. Replaces only values that cannot be a word, an id or a number of the text
 * itself, and the tokens of clients: damage to the text would be stored too.
 */
export function createStoreRedactor(secrets: readonly string[]): Redact {
  const replace = createReplacer(secrets.filter(isUnmistakable));
  return (text) => redactTokens(replace(text));
}

function redactTokens(text: string): string {
  const mayHaveOne = text.length >= TOKEN_LENGTH && text.includes(TOKEN_START);
  return mayHaveOne ? text.replace(TOKENS, REDACTED) : text;
}

/** The same value without secrets in its texts and names; itself where it holds none. */
export function redactJson<Value>(value: Value, redact: Redact): Value {
  if (redact === KEEP_ALL) return value;
  const json = JSON.stringify(value);
  const clean = redact(json);
  return clean === json ? value : (JSON.parse(clean) as Value);
}

/** The same bytes without secrets; itself where they hold none. */
export function redactBytes(bytes: Buffer, redact: Redact): Buffer {
  if (redact === KEEP_ALL) return bytes;
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
  const text = bytes.toString(encoding);
  const clean = redact(text);
  return clean === text ? bytes : Buffer.from(clean, encoding);
}

/** Values of the configuration that no log, error or page may show. */
export function configSecrets(config: Config): string[] {
  const shardKeys = config.shards.map((shard) => shard.apiKey);
  return [
    config.ANTHROPIC_API_KEY,
    config.ANTHROPIC_ADMIN_KEY,
    config.GEMINI_API_KEY,
    ...shardKeys,
    config.DEEPSEEK_API_KEY,
    ...Object.values(config.modelKeys),
    config.DASHBOARD_PASSWORD,
    config.DASHBOARD_READ_PASSWORD,
    config.FLEET_TOKEN,
    config.FLEET_NOTIFY?.startsWith('http') ? config.FLEET_NOTIFY : undefined, // such an address often contains a token
    ...Object.values(config.OTEL_EXPORTER_OTLP_HEADERS).flatMap((value) => [
      value,
      value.replace(/^(?:bearer|basic) /i, ''),
    ]),
    ...passwordsOfRedis(config.REDIS_URL),
    ...Object.values(config.peers).flatMap(passwordsOfRedis),
    ...config.models.flatMap(({ baseUrl }) => passwordsOf(baseUrl ?? undefined)),
    ...passwordsOf(config.ANTHROPIC_BASE_URL),
    ...passwordsOf(config.GEMINI_BASE_URL),
    ...passwordsOf(config.DEEPSEEK_BASE_URL),
  ].filter((value): value is string => value !== undefined && value !== '');
}

/** The password of an address, as it is and as it is written there. */
function passwordsOf(address: string | undefined): string[] {
  const { password } = new URL(address ?? 'none:');
  return [password, decode(password)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return text; // a per cent sign that encodes nothing
  }
}

function isUnmistakable(secret: string): boolean {
  return secret.length >= 16 || (secret.length >= 8 && /\d/.test(secret) && /[A-Za-z]/.test(secret));
}

/** One pass over the text for all forms of all secrets. */
function createReplacer(secrets: readonly string[]): Redact {
  const forms = [...new Set(secrets.flatMap(formsOf))].toSorted((a, b) => b.length - a.length);
  if (forms.length === 0) return KEEP_ALL;
  const pattern = new RegExp(forms.map(escape).join('|'), 'g');
  const shortest = Math.min(...forms.map((form) => form.length));
  return (text) => (text.length < shortest ? text : text.replace(pattern, REDACTED));
}

/** As it is, in a JSON string, in JSON within a JSON string, in an address, in base64 and in hex. */
function formsOf(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  const inAddress = encodeURIComponent(secret);
  const hex = Buffer.from(secret).toString('hex');
  return [
    secret,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    inAddress,
    inAddress.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    inAddress.replaceAll('%20', '+'),
    ...(secret.length < 8 ? [] : [...base64Forms(secret), hex, hex.toUpperCase()]),
  ];
}

/** The characters that the secret alone decides, for each of the three places where it can begin in a longer text. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor((padded.length * 8) / 6);
    return (['base64', 'base64url'] as const).map((encoding) => padded.toString(encoding).slice(from, to));
  });
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
