import type { Db } from '../../redis/db.ts';
import { hasFields, parseField, toStoredCount } from '../../redis/stored-record.ts';
import type { Draft, Outline, PaperStop, SectionSource, ShardReport } from './types.ts';

/** The stored record of one paper; null: not yet. */
export interface PaperRecord {
  beganAt: string | null;
  shards: ShardReport | null;
  outline: Outline | null;
  /** By position in the outline, from 0; null until the section has one. */
  sources: (SectionSource | null)[];
  drafts: (Draft | null)[];
  /** The finished text. */
  text: string | null;
  stop: PaperStop | null;
  /** A person decided to continue with the shards that work. */
  acceptShards: boolean;
  /** A person decided to finish without the librarian. */
  withoutGemini: boolean;
  /** By step: how often a person retried it; absent: never. */
  tries: Record<string, number>;
}

/** Fields to store. Each step stores its result before the next step begins. */
export interface PaperPatch {
  beganAt?: string;
  shards?: ShardReport;
  outline?: Outline;
  source?: { index: number; value: SectionSource };
  draft?: { index: number; value: Draft };
  text?: string;
  stop?: PaperStop;
}

/** What each JSON field must be: other programs may have written it. */
const SHAPES: Record<string, (value: unknown) => boolean> = {
  shards: (value) =>
    hasFields(value, { shards: 'list' }) &&
    isListOf(value['shards'], { shard: 'number', ok: 'boolean', left: 'number' }),
  outline: (value) =>
    hasFields(value, { title: 'string', sections: 'list' }) &&
    isListOf(value['sections'], { id: 'string', title: 'string', brief: 'string', question: 'string' }),
  stop: (value) => hasFields(value, { step: 'string', reason: 'string', detail: 'string' }),
  source: (value) => hasFields(value, { kind: 'string', answer: 'string', findings: 'list' }),
  draft: (value) => hasFields(value, { id: 'string', title: 'string', text: 'string', citations: 'list' }),
};
/** No outline has as many sections. */
const MOST_SECTIONS = 1_000;

/**
 * Reads a paper.
 * @returns null if the mission writes no paper or the paper has not begun
 * @throws FleetError that names the field, if the record is damaged
 */
export async function readPaper({ redis, keys }: Db, id: string): Promise<PaperRecord | null> {
  const hash = await redis.hgetall(keys.paper(id));
  if (Object.keys(hash).length === 0) return null;
  return {
    beganAt: hash['began_at'] ?? null,
    shards: parse(id, hash, 'shards') as ShardReport | null,
    outline: parse(id, hash, 'outline') as Outline | null,
    sources: collect<SectionSource>(id, hash, 'source'),
    drafts: collect<Draft>(id, hash, 'draft'),
    text: hash['text'] ?? null,
    stop: parse(id, hash, 'stop') as PaperStop | null,
    acceptShards: hash['accept_shards'] === '1',
    withoutGemini: hash['without_gemini'] === '1',
    tries: Object.fromEntries(
      Object.entries(hash).flatMap(([field, value]) =>
        field.startsWith('tries:') ? [[field.slice('tries:'.length), toStoredCount(value)]] : [],
      ),
    ),
  };
}

/** Stores the results of a step, in one command. */
export async function savePaper({ redis, keys }: Db, id: string, patch: PaperPatch): Promise<void> {
  const { beganAt, shards, outline, source, draft, text, stop } = patch;
  const fields: Record<string, string> = {
    ...(beganAt === undefined ? {} : { began_at: beganAt }),
    ...(shards === undefined ? {} : { shards: JSON.stringify(shards) }),
    ...(outline === undefined ? {} : { outline: JSON.stringify(outline) }),
    ...(source === undefined ? {} : { [`source:${source.index}`]: JSON.stringify(source.value) }),
    ...(draft === undefined ? {} : { [`draft:${draft.index}`]: JSON.stringify(draft.value) }),
    ...(text === undefined ? {} : { text }),
    ...(stop === undefined ? {} : { stop: JSON.stringify(stop) }),
  };
  await redis.hset(keys.paper(id), fields);
}

/**
 * Id of the query for a section. A section that a person retries asks a new query, because a query of one id is asked once.
 * @param index of the section, from 0
 */
export function toSectionQueryId(missionId: string, index: number, tries: number): string {
  return `${missionId}-s${index + 1}${tries === 0 ? '' : `-${tries + 1}`}`;
}

function parse(id: string, hash: Record<string, string>, field: string, kind = field): unknown {
  const text = hash[field];
  const fits = SHAPES[kind] ?? hasFields;
  return text === undefined ? null : parseField(text, { of: `paper ${id}`, field, fits });
}

/** Values by the position in their names, `draft:0`. */
function collect<Value>(id: string, hash: Record<string, string>, kind: string): (Value | null)[] {
  const found: (Value | null)[] = [];
  for (const field of Object.keys(hash)) {
    const [, place] = /^[a-z]+:(\d{1,4})$/.exec(field) ?? [];
    if (place === undefined || !field.startsWith(`${kind}:`) || Number(place) >= MOST_SECTIONS) continue;
    found[Number(place)] = parse(id, hash, field, kind) as Value;
  }
  return Array.from(found, (value) => value ?? null);
}

function isListOf(values: unknown, fields: Parameters<typeof hasFields>[1]): boolean {
  return Array.isArray(values) && values.every((value) => hasFields(value, fields));
}
