import { createGunzip, gunzip, gzip } from 'node:zlib';
import { promisify } from 'node:util';
import type { Db } from '../redis/db.ts';
import type { PatchRecord } from './types.ts';

/** Longest compressed text of a patch that Redis keeps. Bytes. Of a longer one only the commit is kept. */
const TEXT_CAP = 8 * 1024 * 1024;
/** Longest text that is unpacked. Bytes. */
const UNPACKED_CAP = 256 * 1024 * 1024;

/**
 * Stores a patch before its finding is recorded. A run that does it again stores the same.
 * @param text what `git diff --binary --full-index` writes
 */
export async function storePatch({ redis, keys }: Db, record: PatchRecord, text: Buffer): Promise<void> {
  const { findingId, state } = record;
  const packed = await promisify(gzip)(text);
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
  return text === null ? null : (JSON.parse(text) as PatchRecord);
}

/** Reads the text of a patch. @returns null: it was too long to keep, or is no longer kept */
export async function readPatchText({ redis, keys }: Db, findingId: string): Promise<Buffer | null> {
  const packed = await redis.getBuffer(keys.patchText(findingId));
  return packed === null ? null : await promisify(gunzip)(packed, { maxOutputLength: UNPACKED_CAP });
}

/**
 * Reads the beginning of a patch's text, and unpacks no more than it returns.
 * @param atMost bytes
 * @returns null: it was too long to keep, or is no longer kept
 */
export async function readPatchStart(
  { redis, keys }: Db,
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
  return { text: Buffer.concat(chunks).subarray(0, atMost), isWhole: size <= atMost };
}
