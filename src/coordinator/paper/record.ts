import type { Db } from '../../redis/db.ts';
import type { Draft, Outline, PaperStop, SectionSource, ShardReport } from './types.ts';

/** One paper as it stands in Redis; null is what has not come yet. */
export interface PaperRecord {
  beganAt: string | null;
  shards: ShardReport | null;
  outline: Outline | null;
  /** By position, from 0; with holes until the last is written. */
  sources: (SectionSource | null)[];
  drafts: (Draft | null)[];
  /** The finished text. */
  text: string | null;
  stop: PaperStop | null;
  /** A person chose to go on with the shards that work. */
  acceptShards: boolean;
  /** A person chose to finish without the librarian. */
  withoutGemini: boolean;
  /** How often a person has had a step tried again; absent: never. */
  tries: Record<string, number>;
}

/** The hash's fields. Each step's result is stored before the next step begins. */
export interface PaperPatch {
  beganAt?: string;
  shards?: ShardReport;
  outline?: Outline;
  source?: { at: number; value: SectionSource };
  draft?: { at: number; value: Draft };
  text?: string;
  stop?: PaperStop;
}

/** Reads a paper. @returns null where the mission is none, or has not begun */
export async function readPaper({ redis, keys }: Db, id: string): Promise<PaperRecord | null> {
  const hash = await redis.hgetall(keys.paper(id));
  if (Object.keys(hash).length === 0) return null;
  return {
    beganAt: hash['began_at'] ?? null,
    shards: parse(hash['shards']) as ShardReport | null,
    outline: parse(hash['outline']) as Outline | null,
    sources: collect<SectionSource>(hash, 'source:'),
    drafts: collect<Draft>(hash, 'draft:'),
    text: hash['text'] ?? null,
    stop: parse(hash['stop']) as PaperStop | null,
    acceptShards: hash['accept_shards'] === '1',
    withoutGemini: hash['without_gemini'] === '1',
    tries: Object.fromEntries(
      Object.entries(hash).flatMap(([field, value]) =>
        field.startsWith('tries:') ? [[field.slice('tries:'.length), Number(value)]] : [],
      ),
    ),
  };
}

/** Stores what a step came to, in one command. */
export async function savePaper({ redis, keys }: Db, id: string, patch: PaperPatch): Promise<void> {
  const { beganAt, shards, outline, source, draft, text, stop } = patch;
  const fields: Record<string, string> = {
    ...(beganAt === undefined ? {} : { began_at: beganAt }),
    ...(shards === undefined ? {} : { shards: JSON.stringify(shards) }),
    ...(outline === undefined ? {} : { outline: JSON.stringify(outline) }),
    ...(source === undefined ? {} : { [`source:${source.at}`]: JSON.stringify(source.value) }),
    ...(draft === undefined ? {} : { [`draft:${draft.at}`]: JSON.stringify(draft.value) }),
    ...(text === undefined ? {} : { text }),
    ...(stop === undefined ? {} : { stop: JSON.stringify(stop) }),
  };
  await redis.hset(keys.paper(id), fields);
}

function parse(json: string | undefined): unknown {
  return json === undefined ? null : JSON.parse(json);
}

function collect<Value>(hash: Record<string, string>, prefix: string): (Value | null)[] {
  const found: (Value | null)[] = [];
  for (const [field, json] of Object.entries(hash)) {
    if (field.startsWith(prefix)) found[Number(field.slice(prefix.length))] = JSON.parse(json) as Value;
  }
  return Array.from(found, (value) => value ?? null);
}
