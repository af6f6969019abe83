import type { Db } from '../../redis/db.ts';
import { readMany } from '../../redis/read-many.ts';
import { parseRecord, toStoredCount } from '../../redis/stored-record.ts';
import { SPANS, type SpanName } from './spans.ts';
import { toSeries, type Counts, type Sample, type Series } from './to-series.ts';

/** Reads what happened in a span. Its Redis commands do not depend on what there is. */
export async function readSeries({ redis, keys, clock }: Db, span: SpanName): Promise<Series & { nowMs: number }> {
  const { stored, live } = await readMany(redis, {
    stored: (r) => r.hgetall(keys.samples(span)),
    live: (r) => r.hgetall(keys.metrics), // after the samples: no count of it is lower
  });
  const nowMs = clock.now();
  const samples = Object.values(stored)
    .map(parseSample)
    .filter((sample) => sample !== null);
  return { nowMs, ...toSeries(samples, toCounts(live, isSampled), SPANS[span], nowMs) };
}

/** @param text `<step>|<JSON of the counts>`, as `sample-tallies.lua` writes it @returns null: another program wrote it */
function parseSample(text: string): Sample | null {
  const [, step = '', json] = /^(\d+)\|(.*)$/s.exec(text) ?? [];
  const record = parseRecord(json);
  return record === null ? null : { step: Number(step), counts: toCounts(record) };
}

/** The fields that a sample has, too. */
const isSampled = (field: string): boolean => /^(?:job\|tasks|nano)\|/.test(field);

function toCounts(fields: object, isWanted: (field: string) => boolean = () => true): Counts {
  const wanted = Object.entries(fields).filter(([field]) => isWanted(field));
  return new Map(wanted.map(([field, amount]) => [field, toStoredCount(String(amount))]));
}
