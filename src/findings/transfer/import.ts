import { randomUUID } from 'node:crypto';
import { noteChange } from '../../audit/note-change.ts';
import { fromExportLine } from './export-line.ts';
import type { ExportedFinding } from '../types.ts';
import { streamLines } from '../../text/lines.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import type { Db } from '../../redis/db.ts';
import { parseFinding, toStoredTokens, toStoredText, withFacts } from '../stored.ts';

/** Longest line. A longer one is reported as bad and skipped. */
const MOST_BYTES = 64 * 2 ** 20;

/** Lines and bytes that are sent to Redis together: enough to keep it busy, and little memory. */
const CHUNK_LINES = 500;
const CHUNK_BYTES = 8 * 2 ** 20;

export interface ImportCounts {
  /** Lines that are not blank. */
  read: number;
  imported: number;
  /** Findings whose id is taken. They are not changed. */
  known: number;
  bad: number;
}

interface ImportOptions {
  /** @param number of the line, from 1 */
  onBad: (number: number, problem: string) => void;
  /** Called after each chunk; `bytes` is how much of the stream was read. */
  onProgress?: (counts: ImportCounts, bytes: number) => void;
}

/**
 * Stores exported findings as they were: texts, hashes, retraction marks, condensed findings with their originals. A
 * finding whose id is taken is skipped, so that the same file may be imported again. Bad lines are reported and skipped.
 * @throws the errors of Redis; findings that were imported before remain
 */
export async function importFindings(
  db: Db,
  chunks: AsyncIterable<Buffer | string>,
  { onBad, onProgress }: ImportOptions,
): Promise<ImportCounts> {
  const counts: ImportCounts = { read: 0, imported: 0, known: 0, bad: 0 };
  const beganAt = Date.parse((await db.redis.hget(db.keys.session, 'startedAt')) ?? '');
  let bytes = 0;
  let chunk: ExportedFinding[] = [];
  let chunkBytes = 0;

  async function flush(): Promise<void> {
    const once = db.keys.once(randomUUID());
    const outcomes = await Promise.all(
      chunk.map((finding, i) => importOne(db, finding, { beganAt, once, call: String(i) })),
    );
    await db.redis.del(once);
    for (const outcome of outcomes) counts[outcome === 'imported' ? 'imported' : 'known'] += 1;
    chunk = [];
    chunkBytes = 0;
    onProgress?.(counts, bytes);
  }

  for await (const line of streamLines(chunks, { mostBytes: MOST_BYTES, onBytes: (read) => (bytes = read) })) {
    const text = line.text?.trim() ?? null;
    if (text === '') continue;
    counts.read += 1;
    try {
      if (line.text === null) throw new RangeError(line.problem);
      chunk.push(fromExportLine(text ?? ''));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      counts.bad += 1;
      onBad(line.number, error.message);
      continue;
    }
    chunkBytes += line.bytes;
    if (chunk.length >= CHUNK_LINES || chunkBytes >= CHUNK_BYTES) await flush();
  }
  await flush();
  if (counts.imported > 0) await noteChange(db, { what: 'import', after: { findings: counts.imported } });
  return counts;
}

async function importOne(
  { keys, scripts }: Db,
  found: ExportedFinding,
  { beganAt, once, call }: { beganAt: number; once: string; call: string },
): Promise<unknown> {
  const { id, place, value, condensedText, note, lacked } = found;
  const text = toStoredText(value);
  const finding = parseFinding(id, withFacts(text, lacked));
  const parsedAt = Date.parse(finding?.at ?? '');
  const storedAt = Number.isNaN(parsedAt) ? 0 : parsedAt;
  const session = finding?.session ?? '';
  const batch = finding?.batch ?? '';
  const shard = finding?.shard ?? '';
  const facts = [
    id,
    String(storedAt),
    String(toStoredTokens(text)),
    session,
    batch,
    finding?.topics.join(',') ?? '',
    place,
    note ?? '',
    storedAt >= beganAt ? '1' : '0',
    call,
    shard,
    lacked === null ? '' : JSON.stringify(lacked),
  ];
  return scripts['import-finding'](
    {
      once,
      finding: keys.finding(id),
      kept: keys.condensed(id),
      index: keys.index,
      answers: keys.indexAnswers,
      condensed: keys.indexCondensed,
      retracted: keys.retracted,
      contextActive: keys.contextActive,
      session: keys.session,
      events: keys.events,
      counters: keys.counters,
      adopted: keys.adopted,
      bySession: keys.indexBySession(session),
      byShard: keys.indexByShard(shard),
      ...(batch === '' ? {} : { byBatch: keys.indexByBatch(batch) }),
    },
    [
      toWellFormedJson(facts),
      value.kind === 'string' ? value.text : '',
      condensedText ?? '',
      ...(value.kind === 'hash' ? value.fields.flat() : []),
    ],
  );
}
