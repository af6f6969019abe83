import { z } from 'zod';
import { findClientNameProblem, isTooSmallBudget, LEAST_BUDGET_RULE } from '../../queues/owner.ts';
import { noteChange } from '../audit/note-change.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { formatLimit, readBudget, setBudget } from '../ledger/budget.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord, toStoredCount, toStoredTime } from '../redis/stored-record.ts';
import { parseExpiry } from './expiry.ts';
import { createToken, isSameHash, parseToken } from './token.ts';
import { ROLES, type Client, type ClientState, type NewClient, type Role } from './types.ts';

/** Each is one field of two hashes, which lists read whole. */
const MOST_CLIENTS = 1_000;
/** The last use of a token is noted at most so often. */
const NOTE_USE_MS = 60_000;
/** Fields of what a scope has spent. */
const AMOUNTS = ['limit', 'settled', 'reserved', 'uncertain'] as const;
/** Who may spend has a budget. */
const MAY_SPEND: Record<Role, boolean> = { read: false, delegate: true, operate: true };

const recordSchema = z.object({
  role: z.enum(ROLES),
  /** SHA-256 of the token's secret part, in hex. */
  hash: z.string(),
  created_at: z.string(),
  expires_at: z.string().nullish(),
});
type ClientRecord = z.output<typeof recordSchema>;

/** What a token is good for now. `problem`: why it is refused, for the holder of the token. */
export type TokenCheck = { client: Client; problem: null } | { client: null; problem: string };

/**
 * Adds a client with one token, which can never be read again. What a client of this name spent before counts against the budget.
 * @throws UsageError for a name, role, budget or time that breaks a rule, and for a name that is taken
 */
export async function addClient(db: Db, wanted: NewClient): Promise<{ client: Client; token: string }> {
  const { redis, keys, clock } = db;
  const { name, role, budgetUsd, expires } = wanted;
  assertNew(wanted);
  const lasts = expires === null ? null : parseExpiry(expires);
  const now = clock.now();
  const expiresAt = lasts === null ? null : new Date(now + lasts).toISOString();
  if ((await redis.hlen(keys.clients)) >= MOST_CLIENTS)
    throw new UsageError(`clients: expected at most ${MOST_CLIENTS}; fleet token rm NAME removes one that is not used`);
  const { token, hash } = createToken(name);
  const record = { role, hash, created_at: new Date(now).toISOString(), expires_at: expiresAt } satisfies ClientRecord;
  const text = JSON.stringify(record);
  // The client sends a command again if its connection breaks: then its own record is there.
  if ((await redis.hsetnx(keys.clients, name, text)) === 0 && (await redis.hget(keys.clients, name)) !== text)
    throw new UsageError(
      `client ${name}: exists already; fleet token rm ${name} ends its token, then it can be added anew`,
    );
  // Until this line, no one has the token: a client without its budget can spend nothing.
  if (budgetUsd !== null) await setBudget(db, budgetUsd, { client: name });
  const client = await toClient(db, name, record);
  await noteChange(db, { what: 'token-add', about: { client: name }, after: toAudited(client) });
  return { client, token };
}

/** Lists the clients by name. */
export async function listClients(db: Db): Promise<ClientState[]> {
  const { redis, keys, clock } = db;
  const [texts, used] = await Promise.all([redis.hgetall(keys.clients), redis.hgetall(keys.clientsUsed)]);
  const names = Object.keys(texts).sort();
  const found = await Promise.all(
    names.map(async (name): Promise<ClientState[]> => {
      const record = toRecord(texts[name] ?? null);
      if (record === null) return [];
      // One damaged amount must not hide the others: `fleet status` names its key once a call fails on it.
      const [limit = null, ...spent] = await redis.hmget(keys.spend(`client:${name}`), ...AMOUNTS);
      const [settled = 0, reserved = 0, uncertain = 0] = spent.map(toStoredCount);
      return [
        {
          ...toFields(name, record, limit === null ? null : toStoredCount(limit)),
          isExpired: hasExpired(record, clock.now()),
          settledNanoUsd: settled,
          reservedNanoUsd: reserved,
          uncertainNanoUsd: uncertain,
          lastUsedAt: used[name] === undefined ? null : toStoredTime(used[name]).toISOString(),
        },
      ];
    }),
  );
  return found.flat();
}

/**
 * Removes a client: its token is refused from now on. Its work continues within its budget, and its cost stays in the ledger.
 * @throws NotFoundError
 */
export async function removeClient(db: Db, name: string): Promise<void> {
  const { redis, keys } = db;
  const text = await redis.hget(keys.clients, name);
  if (text === null) throw noClient(name);
  const record = toRecord(text);
  await redis.multi().hdel(keys.clients, name).hdel(keys.clientsUsed, name).exec();
  const before = record === null ? null : toAudited(await toClient(db, name, record));
  await noteChange(db, { what: 'token-remove', about: { client: name }, before });
}

/** Never anything of the token itself. */
function toAudited({ role, budgetNanoUsd, expiresAt }: Client): {
  role: string;
  limit: string | null;
  expires: string | null;
} {
  return { role, limit: formatLimit(budgetNanoUsd), expires: expiresAt };
}

/** @throws NotFoundError if it neither exists nor has books: a removed client's work continues */
export async function assertClient({ redis, keys }: Db, name: string): Promise<void> {
  const [there, books] = await Promise.all([
    redis.hexists(keys.clients, name),
    redis.exists(keys.spend(`client:${name}`)),
  ]);
  if (there + books === 0) throw noClient(name);
}

/**
 * Finds the client of a token. Ask at each request: a token that was removed is refused at once.
 * @returns null: no client has it, or it has expired
 */
export async function findClient(db: Db, token: string): Promise<Client | null> {
  return (await checkToken(db, token)).client;
}

/** As `findClient`, with the reason of a refusal. Only who has the whole token learns that it has expired. */
export async function checkToken(db: Db, token: string): Promise<TokenCheck> {
  const { redis, keys, clock } = db;
  const refused = (problem: string): TokenCheck => ({ client: null, problem });
  const given = parseToken(token.trim());
  if (given === null) return refused('token: expected fleet_NAME_ and 64 digits, as fleet token add prints it');
  const { name, hash } = given;
  const [text, used] = await Promise.all([redis.hget(keys.clients, name), redis.hget(keys.clientsUsed, name)]);
  const record = toRecord(text);
  if (!isSameHash(hash, record?.hash ?? null) || record === null)
    return refused('token: no client has it; it was removed (fleet token ls), or belongs to another swarm');
  if (hasExpired(record, clock.now()))
    return refused(
      `token of client ${name}: expired ${record.expires_at}; fleet token rm ${name}, then fleet token add`,
    );
  if (clock.now() - Number(used ?? 0) >= NOTE_USE_MS) await redis.hset(keys.clientsUsed, name, clock.now());
  return { client: await toClient(db, name, record), problem: null };
}

/** @throws UsageError */
function assertNew({ name, role, budgetUsd }: NewClient): void {
  const problem = findClientNameProblem(name);
  if (problem !== null) throw new UsageError(`client: ${problem}`);
  if (!ROLES.includes(role)) throw new UsageError(`role: ${describeRole(role)}`);
  if (budgetUsd === null) {
    if (!MAY_SPEND[role]) return;
    throw new UsageError(`budget: a client of role ${role} needs one: what it may spend in all, in dollars`);
  }
  if (!Number.isFinite(budgetUsd)) throw new UsageError(`budget: expected dollars, got ${budgetUsd}`);
  if (budgetUsd < 0) throw new UsageError(`budget: expected dollars above 0, got ${budgetUsd}`);
  if (budgetUsd === 0)
    throw new UsageError(
      'budget: expected dollars above 0, got 0; a client that only reads has role read and no budget',
    );
  if (isTooSmallBudget(budgetUsd)) throw new UsageError(`budget: ${LEAST_BUDGET_RULE}, got ${budgetUsd}`);
  if (budgetUsd > 1_000_000) throw new UsageError(`budget: expected at most 1,000,000 dollars, got ${budgetUsd}`);
}

function describeRole(role: string): string {
  const lower = role.toLowerCase();
  const meant = role !== lower && ROLES.some((known) => known === lower) ? `; it is written ${lower}` : '';
  return `expected ${ROLES.join(', ')}, got ${JSON.stringify(role)}${meant}`;
}

async function toClient(db: Db, name: string, record: ClientRecord): Promise<Client> {
  return toFields(name, record, (await readBudget(db, { client: name })).limit);
}

function toFields(name: string, record: ClientRecord, limit: number | null): Client {
  return {
    name,
    role: record.role,
    budgetNanoUsd: limit,
    createdAt: record.created_at,
    expiresAt: record.expires_at ?? null,
  };
}

/** @returns null: there is none, or it is damaged */
function toRecord(text: string | null): ClientRecord | null {
  return text === null ? null : (recordSchema.safeParse(parseRecord(text)).data ?? null);
}

function hasExpired({ expires_at: expiresAt }: ClientRecord, now: number): boolean {
  if (expiresAt === undefined || expiresAt === null) return false;
  return !(Date.parse(expiresAt) > now); // also where it is no instant: damage must not make a token last
}

function noClient(name: string): NotFoundError {
  return new NotFoundError(`client ${name}: there is none of this name; fleet token ls lists them`);
}
