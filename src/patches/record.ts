import { UsageError } from '../errors.ts';
import { createGunzip, gunzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { redactBytes } from '../config/redact.ts';
import type { Db } from '../redis/db.ts';
import type { PatchRecord } from './types.ts';
import { parseRecord } from '../redis/stored-record.ts';

/** Longest compressed text of a patch that Redis keeps. Bytes. Of a longer one only the commit is kept. */
const TEXT_CAP = 8 * 1024 * 1024;
/** Longest text that is unpacked. Bytes. */
const UNPACKED_CAP = 256 * 1024 * 1024;

/**
 * Stores a patch before its finding is recorded, its text without secrets: these stay in the commit alone. A run that does it again
 * stores the same.
 * @param whole what `git diff --binary --full-index` writes
 */
export async function storePatch({ redis, keys, redact }: Db, patch: PatchRecord, whole: Buffer): Promise<void> {
  const text = redactBytes(whole, redact);
  const record: PatchRecord = text === whole ? patch : { ...patch, isRedacted: true };
  const { findingId, state } = record;
  const packed = await promisify(gzip)(text); // bytes, from which the connection removes no secret
  const chain = redis.multi();
  if (packed.length <= TEXT_CAP && text.length > 0) chain.set(keys.patchText(findingId), packed);
  else chain.del(keys.patchText(findingId));
  chain.set(keys.patch(findingId), JSON.stringify(record));
  if (state === 'pending') chain.zadd(keys.patches, Date.parse(record.createdAt), findingId);
  await chain.exec();
}

/** @returns null: no patch is kept under this id */
export async function readPatch({ redis, keys }: Db, findingId: string): Promise<PatchRecord | null> {
  const text = await redis.get(keys.patch(findingId));
  if (text === null) return null;
  const record = parseRecord(text) as PatchRecord | null;
  if (record === null) throw new UsageError(`patch ${findingId}: its record in Redis is damaged`);
  return record;
}

/** Reads the text of a patch, for a person. @returns null: it was too long to keep, or is no longer kept */
export async function readPatchText(db: Db, findingId: string): Promise<Buffer | null> {
  const text = await unpackText(db, findingId);
  return text === null ? null : redactBytes(text, db.redact); // an older version may have stored secrets
}

/** Reads the text of a patch, to change files by it. @returns null: it is not kept, or not whole without its secrets */
export async function readWholeText(db: Db, record: PatchRecord): Promise<Buffer | null> {
  return record.isRedacted === true ? null : await unpackText(db, record.findingId);
}

async function unpackText({ redis, keys }: Db, findingId: string): Promise<Buffer | null> {
  const packed = await redis.getBuffer(keys.patchText(findingId));
  return packed === null ? null : await promisify(gunzip)(packed, { maxOutputLength: UNPACKED_CAP });
}

/**
 * Reads the beginning of a patch's text, and unpacks no more than it returns.
 * @param atMost bytes
 * @returns null: it was too long to keep, or is no longer kept
 */
export async function readPatchStart(
  { redis, keys, redact }: Db,
  findingId: string,
  atMost: number,
): Promise<{ text: Buffer; isWhole: boolean } | null> {
  const packed = await redis.getBuffer(keys.patchText(findingId));
  if (packed === null) return null;
  const unpacked = createGunzip();
  unpacked.end(packed);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of unpacked as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > atMost) break; // ends the unpacking
  }
  return { text: redactBytes(Buffer.concat(chunks), redact).subarray(0, atMost), isWhole: size <= atMost };
}
