import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { errorCode } from '../tool-refusal.ts';

/** Most bytes of a body that are kept, after decompression. */
export const BODY_CAP = 256 * 1024;
/** Most bytes of a compressed body that are read, and that each of its codings but the last may unpack to. */
const ENCODED_CAP = 1024 * 1024;
/** A body that is compressed more often is shown as it came. */
const MOST_CODINGS = 3;

/** What was read of a response's body. */
export interface Body {
  bytes: Buffer;
  /** Whether the body is longer than what was read. */
  isCut: boolean;
  /** Whether `bytes` still have their content codings. */
  isEncoded: boolean;
  /** What is wrong with the codings; null: nothing. */
  problem: string | null;
}

/** @param isLenient gives what an incomplete stream holds, instead of an error */
type CreateDecoder = (isLenient: boolean) => Transform;

const { Z_SYNC_FLUSH, Z_FINISH, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH } = zlib.constants;
const atEnd = (isLenient: boolean) => ({ finishFlush: isLenient ? Z_SYNC_FLUSH : Z_FINISH });
const decoders = new Map<string, CreateDecoder>([
  ['gzip', (isLenient) => zlib.createGunzip(atEnd(isLenient))],
  ['x-gzip', (isLenient) => zlib.createGunzip(atEnd(isLenient))],
  ['deflate', (isLenient) => zlib.createInflate(atEnd(isLenient))],
  ['raw deflate', (isLenient) => zlib.createInflateRaw(atEnd(isLenient))],
  [
    'br',
    (isLenient) =>
      zlib.createBrotliDecompress({ finishFlush: isLenient ? BROTLI_OPERATION_FLUSH : BROTLI_OPERATION_FINISH }),
  ],
]);
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => Transform }; // from Node 22.15
if (createZstdDecompress !== undefined) {
  const { ZSTD_d_windowLogMax = 100, ZSTD_e_flush = 1, ZSTD_e_end = 2 } = zlib.constants as Record<string, number>;
  const params = { [ZSTD_d_windowLogMax]: 23 }; // 8 MiB of memory: RFC 9659
  decoders.set('zstd', (isLenient) =>
    createZstdDecompress({ params, finishFlush: isLenient ? ZSTD_e_flush : ZSTD_e_end }),
  );
}

/** The content codings that a request offers. */
export const ACCEPTED_CODINGS = [...decoders.keys()].filter((name) => !/[ -]/.test(name)).join(', ');

/** Reads a bounded part of a body and undoes its content codings. @throws a system error if the connection breaks off */
export async function readBody(response: IncomingMessage): Promise<Body> {
  const codings = toCodings(response.headers['content-encoding']);
  const plain = await collect(response, codings.length === 0 ? BODY_CAP : ENCODED_CAP);
  if (codings.length === 0 || plain.bytes.length === 0) return { ...plain, isEncoded: false, problem: null };
  const asItCame = { bytes: plain.bytes.subarray(0, BODY_CAP), isCut: plain.bytes.length > BODY_CAP, isEncoded: true };
  if (codings.length > MOST_CODINGS || !codings.every((coding) => decoders.has(coding))) {
    return { ...asItCame, problem: `its encoding ${codings.join(', ')} cannot be undone here` };
  }
  const decoded = await undo(plain, codings);
  if (decoded.bytes.length === 0 && decoded.isDamaged) {
    return { ...asItCame, problem: `its encoding is no valid ${codings.join(', ')}, which its header states` };
  }
  const problem = decoded.isDamaged ? `its ${codings.join(', ')} encoding is damaged: the rest is lost` : null;
  return { bytes: decoded.bytes, isCut: decoded.isCut, isEncoded: false, problem };
}

/** In the order in which they were applied. */
function toCodings(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
}

interface Part {
  bytes: Buffer;
  isCut: boolean;
}

/** Undoes the codings, the last one first. A part that was cut while it was encoded ends early, but is not damaged. */
async function undo(part: Part, codings: readonly string[]): Promise<Part & { isDamaged: boolean }> {
  let current = { ...part, isDamaged: false };
  for (const [i, coding] of [...codings.entries()].toReversed()) {
    const cap = i === 0 ? BODY_CAP : ENCODED_CAP;
    const { isCut, isDamaged } = current;
    const strict = isCut ? null : await decode(current.bytes, coding, cap, false);
    const isWhole = strict !== null && !strict.isDamaged;
    const found = isWhole ? strict : await decode(current.bytes, coding, cap, true);
    current = { ...found, isCut: found.isCut || isCut, isDamaged: isDamaged || (!isWhole && !isCut) };
  }
  return current;
}

/** A small body can unpack to gigabytes; the stream unpacks hardly more than is taken from it. */
async function decode(
  bytes: Buffer,
  coding: string,
  cap: number,
  isLenient: boolean,
): Promise<Part & { isDamaged: boolean }> {
  const isRaw = coding === 'deflate' && ((bytes[0] ?? 0) & 0x0f) !== 8; // some servers leave out zlib's header
  const decoder = decoders.get(isRaw ? 'raw deflate' : coding)?.(isLenient);
  if (decoder === undefined) throw new TypeError(`no decoder of ${coding}`);
  const chunks: Buffer[] = [];
  decoder.end(bytes);
  try {
    return { ...(await collect(decoder, cap, chunks)), isDamaged: false };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return { bytes: Buffer.concat(chunks), isCut: false, isDamaged: true };
  } finally {
    decoder.destroy();
  }
}

/** Collects the first `cap` bytes. @param chunks keeps what came before an error */
async function collect(source: AsyncIterable<Buffer>, cap: number, chunks: Buffer[] = []): Promise<Part> {
  let length = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > cap) break; // the caller destroys the socket, so the rest is not sent
  }
  return { bytes: Buffer.concat(chunks).subarray(0, cap), isCut: length > cap };
}
