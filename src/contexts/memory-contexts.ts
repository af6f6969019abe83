import { createHash } from 'node:crypto';
import { noteChange } from '../audit/note-change.ts';
import type { AuditFields } from '../audit/types.ts';
import { NotFoundError, TaskFailedError, UsageError } from '../errors.ts';
import type { ContextInfo, ContextVersion, MemoryContext, StoredContext } from './types.ts';
import type { Db } from '../redis/db.ts';
import { parseRecord } from '../redis/stored-record.ts';

/** Longest context, UTF-16 code units. It can be asked; `MAX_SENT_LENGTH` of it can be sent with a task. */
const MAX_CONTEXT_LENGTH = 8_000_000;
/** Longest context of a task. A longer one would leave no room for the task below the price step. */
const MAX_SENT_LENGTH = 200_000;
/** Versions that were replaced and are kept for tasks that began with them, and for how long. */
const KEEP_VERSIONS = 10;
const KEEP_VERSION_SECONDS = 14 * 24 * 3600;

/**
 * Stores a memory context in one step: a task reads the old text or the new one, never a mix.
 * @param options.replaces false: it replaces no other text; default true
 * @throws UsageError for a name or document that breaks a rule
 */
export async function saveContext(
  db: Db,
  name: string,
  document: string,
  { replaces = true } = {},
): Promise<ContextInfo> {
  const { redis, keys, scripts, redact, clock } = db;
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
    sha256: toVersion(text),
    loadedAt: clock.date().toISOString(),
  };
  const before = parseRecord(await redis.hget(keys.contexts, name)) as ContextInfo | null;
  if (!replaces) {
    await redis.multi().set(keys.context(name), text, 'NX').hsetnx(keys.contexts, name, JSON.stringify(info)).exec();
    // The same text may be of this call, which is sent again if its answer is lost.
    if ((await redis.get(keys.context(name))) === text) {
      await noteVersion(db, name, before, info);
      return info;
    }
    throw new UsageError(`context ${name}: it exists with another text, which stays; choose another name`);
  }
  await scripts['replace-context'](
    { context: keys.context(name), contexts: keys.contexts, versions: keys.contextVersions(name) },
    [name, text, JSON.stringify(info), 4 * MAX_SENT_LENGTH, KEEP_VERSIONS, KEEP_VERSION_SECONDS],
  );
  await noteVersion(db, name, before, info);
  return info;
}

/** The same text once more is no change. */
async function noteVersion(db: Db, name: string, before: ContextInfo | null, after: ContextInfo): Promise<void> {
  if (before?.sha256 === after.sha256) return;
  await noteChange(db, {
    what: 'context-load',
    about: { context: name },
    before: toVersionFields(before),
    after: toVersionFields(after),
  });
}

function toVersionFields(info: Partial<ContextInfo> | null): AuditFields | null {
  if (info === null) return null;
  const { bytes = 0, sha256 = '' } = info;
  return { bytes, version: sha256.slice(0, 12) };
}

/** Returns all memory contexts, sorted by name. */
export async function listContexts({ redis, keys }: Db): Promise<ContextInfo[]> {
  const stored = await redis.hgetall(keys.contexts);
  return Object.entries(stored)
    .map(([name, json]) => ({ bytes: 0, sha256: '', loadedAt: '', ...(parseRecord(json) as ContextInfo | null), name }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Reads one memory context. Text and version fit, also while another process replaces it. @returns null: there is none of this name */
export async function readContext({ redis, keys, redact }: Db, name: string): Promise<StoredContext | null> {
  const replies = (await redis.multi().get(keys.context(name)).hget(keys.contexts, name).exec()) ?? [];
  const [text, json] = replies.map(([error, reply]) => {
    if (error) throw error;
    return reply as string | null;
  });
  if (typeof text !== 'string') return null;
  return { bytes: 0, sha256: '', loadedAt: '', ...(parseRecord(json) as ContextInfo | null), name, text: redact(text) };
}

/** @throws NotFoundError: there is none of this name */
export async function assertContext({ redis, keys }: Db, name: string): Promise<void> {
  if ((await redis.exists(keys.context(name))) === 1) return;
  throw new NotFoundError(`context ${name}: there is none; \`fleet context ls\` lists them`);
}

/** Deletes a memory context. @throws NotFoundError if it does not exist */
export async function removeContext(db: Db, name: string): Promise<void> {
  // Asked before: a deletion that the client sends twice, because its connection broke, finds none.
  await assertContext(db, name);
  const { redis, keys } = db;
  const before = parseRecord(await redis.hget(keys.contexts, name));
  await redis.multi().del(keys.context(name), keys.contextVersions(name)).hdel(keys.contexts, name).exec();
  await noteChange(db, { what: 'context-remove', about: { context: name }, before: toVersionFields(before) });
}

interface WithContexts {
  contexts?: readonly string[] | undefined;
  shard?: string | undefined;
}

/** Whether memory contexts may be sent with a task: those that it names, and that of its shard. */
export function hasContexts({ contexts = [], shard }: WithContexts): boolean {
  return contexts.length > 0 || shard !== undefined;
}

/** UTF-8 bytes of the memory contexts that a task is sent with. One that does not exist has none. */
export async function readContextBytes({ redis, keys }: Db, { contexts = [], shard }: WithContexts): Promise<number> {
  if (!hasContexts({ contexts, shard })) return 0;
  const names = [...new Set([...contexts, ...(shard === undefined ? [] : [shard])])];
  return toContextBytes(await redis.hmget(keys.contexts, ...names));
}

/** @param records what the list of contexts holds of each; null: it does not exist */
export function toContextBytes(records: readonly (string | null | undefined)[]): number {
  return records.reduce((sum, json) => {
    const { bytes = 0 }: Partial<ContextInfo> = parseRecord(json) ?? {};
    // A longer one cannot be sent: the task fails, or begins without it.
    return sum + Math.min(bytes, 4 * MAX_SENT_LENGTH);
  }, 0);
}

/**
 * Reads the memory contexts of a task, in this order: those that it names, then the one of its memory shard, if there is one that
 * can be sent.
 * @param began what an earlier run of the task began with: the same versions again, whatever replaced them. Null: none has begun
 * @throws TaskFailedError `context` that names those that do not exist or are too long
 */
export async function loadContexts(
  db: Db,
  { contexts = [], shard }: { contexts?: readonly string[] | undefined; shard?: string | undefined },
  began: readonly ContextVersion[] | null = null,
): Promise<(MemoryContext & ContextVersion)[]> {
  const { redis, keys, redact } = db;
  const own = shard === undefined || contexts.includes(shard) ? [] : [shard];
  const names = began === null ? [...contexts, ...own] : began.map(({ name }) => name);
  if (names.length === 0) return [];
  const current = await redis.mget(names.map((name) => keys.context(name)));
  const texts = began === null ? current : await Promise.all(began.map((one, i) => readVersion(db, one, current[i])));
  const read = names.map((name, i) => ({ name, text: texts[i] ?? null }));
  const isOptional = ({ name }: { name: string }): boolean => began === null && own.includes(name);
  const missing = read.filter((one) => one.text === null && !isOptional(one)).map(({ name }) => name);
  if (missing.length > 0) {
    throw new TaskFailedError('context', `no memory context named ${missing.join(', ')}; fleet context load NAME FILE`);
  }
  const isTooLong = ({ text }: { text: string | null }): boolean => (text ?? '').length > MAX_SENT_LENGTH;
  const tooLong = read.find((one) => isTooLong(one) && !isOptional(one));
  if (tooLong !== undefined) {
    throw new TaskFailedError(
      'context',
      `${tooLong.name} is longer than ${MAX_SENT_LENGTH} characters, too long to be sent with a task; ask it: fleet ask --context ${tooLong.name}`,
    );
  }
  return read
    .filter((one) => one.text !== null && !isTooLong(one))
    .map(({ name, text }) => ({ name, text: redact(text ?? ''), sha256: toVersion(text ?? '') }));
}

/** The text of a version. One that is no longer kept, as a person removed it or it was replaced too long ago, is the current text. */
async function readVersion(
  { redis, keys }: Db,
  { name, sha256 }: ContextVersion,
  current: string | null | undefined,
): Promise<string | null> {
  if (typeof current === 'string' && toVersion(current) === sha256) return current;
  return (await redis.hget(keys.contextVersions(name), sha256)) ?? current ?? null;
}

function toVersion(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
