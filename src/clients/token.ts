import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A token is `fleet_<name>_<64 hex digits>`. `src/config/redact.ts` knows the shape. */
const TOKEN = /^fleet_([A-Za-z0-9][A-Za-z0-9._-]{0,39})_([0-9a-f]{64})$/;
/** Stands for the hash of a client that does not exist: the comparison takes as long. */
const NO_HASH = '0'.repeat(64);

/** Makes a token of 256 random bits. Only its hash is to be stored. */
export function createToken(name: string): { token: string; hash: string } {
  const secret = randomBytes(32).toString('hex');
  return { token: `fleet_${name}_${secret}`, hash: toHash(secret) };
}

/** @returns null for a text that is no token */
export function parseToken(token: string): { name: string; hash: string } | null {
  const [, name, secret] = TOKEN.exec(token) ?? [];
  return name === undefined || secret === undefined ? null : { name, hash: toHash(secret) };
}

/** Compares in constant time. @param stored null: there is no such client */
export function isSameHash(given: string, stored: string | null): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(stored ?? NO_HASH)];
  return a.length === b.length && timingSafeEqual(a, b) && stored !== null;
}

/** The secret has 256 random bits, so that no guess can try it: a slow hash would add nothing. */
function toHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
