import { createHash } from 'node:crypto';
import { NotFoundError, TaskFailedError, UsageError } from '../errors.ts';
import type { MemoryContext } from './loop/prompt.ts';
import type { Db } from '../redis/db.ts';

/** Longest context, UTF-16 code units. A longer one would leave no room for a task below the price step. */
const MAX_CONTEXT_LENGTH = 200_000;

export interface ContextInfo {
  name: string;
  bytes: number;
  sha256: string;
  loadedAt: string;
}

/** Stores a memory context in one step: a task reads the old text or the new one, never a mix. */
export async function saveContext({ redis, keys, redact }: Db, name: string, document: string): Promise<ContextInfo> {
  const text = redact(document);
  if (!/^[^\s:{}]{1,100}$/.test(name))
    throw new UsageError(`context: expected a name without white space, colon or brace, got ${JSON.stringify(name)}`);
  if (!text.isWellFormed()) {
    throw new UsageError(
      `context ${name}: holds half a character (a lone surrogate), which cannot be stored; remove it`,
    );
  }
  if (text.trim() === '') throw new UsageError(`context ${name}: the document is empty`);
  if (text.length > MAX_CONTEXT_LENGTH) {
    throw new UsageError(`context ${name}: expected at most ${MAX_CONTEXT_LENGTH} characters, got ${text.length}`);
  }
  const info = {
    name,
    bytes: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
    loadedAt: new Date().toISOString(),
  };
  await redis.multi().set(keys.context(name), text).hset(keys.contexts, name, JSON.stringify(info)).exec();
  return info;
}

/** Returns all memory contexts, sorted by name. */
export async function listContexts({ redis, keys }: Db): Promise<ContextInfo[]> {
  const stored = await redis.hvals(keys.contexts);
  return stored.map((json) => JSON.parse(json) as ContextInfo).sort((a, b) => a.name.localeCompare(b.name));
}

/** Deletes a memory context. @throws NotFoundError if it does not exist */
export async function removeContext({ redis, keys }: Db, name: string): Promise<void> {
  const replies = await redis.multi().del(keys.context(name)).hdel(keys.contexts, name).exec();
  if (replies?.[0]?.[1] === 0)
    throw new NotFoundError(`context ${name}: there is none; \`fleet context ls\` lists them`);
}

/** Reads memory contexts by name, in this order. @throws TaskFailedError `context` that names those that do not exist */
export async function loadContexts({ redis, keys, redact }: Db, names: string[]): Promise<MemoryContext[]> {
  if (names.length === 0) return [];
  const texts = await redis.mget(names.map((name) => keys.context(name)));
  const missing = names.filter((_, i) => texts[i] === null);
  if (missing.length > 0) {
    throw new TaskFailedError('context', `no memory context named ${missing.join(', ')}; fleet context load NAME FILE`);
  }
  return names.map((name, i) => ({ name, text: redact(texts[i] ?? '') }));
}
