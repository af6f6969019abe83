import { createHash } from 'node:crypto';
import { readOrigin } from '../../queues/origin.ts';
import type { Db } from '../redis/db.ts';
import type { Finding, ToolErrors } from './finding.ts';
import type { StoredFinding, StoredValue } from './types.ts';
import { toOneLine } from '../text/one-line.ts';
import { startOf } from '../text/start-of.ts';
import { stringifyExact, toRounded } from '../text/exact-json.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { readFindingJson } from './read-json.ts';

/** Reads what is stored under `finding:<id>`. The id is the key's suffix; a missing time sorts oldest. Null: no JSON object. */
export function parseFinding(id: string, text: string): StoredFinding | null {
  const read = readFindingJson(text);
  if (read === null) return null;
  const raw = roundAllBut('result', read);
  const foreign = raw['content'] ?? raw['answer']; // of older programs: a finding's text, an answer's text
  return {
    ...(dropWrongTypes(raw) as Partial<Finding>),
    ...(raw['result'] === undefined && foreign !== undefined ? { result: foreign as Finding['result'] } : {}),
    finding_id: id,
    at: isInstant(raw['at']) ? raw['at'] : toInstant(raw['timestamp']),
    citations: toStrings(raw['citations']),
    files_changed: toStrings(raw['files_changed']),
    topics: toStrings(raw['topics']),
  };
}

/** Only a result keeps exact numbers: readers of the other fields calculate with them. */
function roundAllBut(name: string, value: Record<string, unknown>): Record<string, unknown> {
  return name in value ? { ...toRounded(value), [name]: value[name] } : toRounded(value);
}

const TYPES: Record<string, readonly string[]> = {
  string: [
    'worker_id',
    'timestamp',
    'task',
    'summary',
    'session',
    'job_id',
    'model',
    'vendor',
    'prompt_version',
    'kind',
    'status',
    'batch',
    'mission_id',
    'summary_id',
    'original_status',
    'client',
    'shard',
    'swarm',
  ],
  number: ['tokens_used', 'cost', 'recovered'],
};
const NULLABLE = new Set(['batch', 'mission_id']);

/** Drops known fields that are not of their type: other programs write findings too, and readers rely on the types. */
function dropWrongTypes(raw: Record<string, unknown>): Record<string, unknown> {
  const kept = { ...raw };
  for (const [type, names] of Object.entries(TYPES)) {
    for (const name of names) {
      if (!(name in kept) || typeof kept[name] === type || (kept[name] === null && NULLABLE.has(name))) continue;
      delete kept[name];
    }
  }
  if (kept['simulated_citations'] !== undefined) kept['simulated_citations'] = toStrings(kept['simulated_citations']);
  if (kept['vendors'] !== undefined) kept['vendors'] = toStrings(kept['vendors']); // what cannot be read allows none
  if (kept['routed'] !== undefined && !Array.isArray(kept['routed'])) delete kept['routed'];
  if (!Array.isArray(kept['changes'])) delete kept['changes'];
  if (kept['sessions'] !== undefined) kept['sessions'] = toStrings(kept['sessions']);
  if (typeof kept['usage'] !== 'object' || kept['usage'] === null) delete kept['usage'];
  if (kept['tool_errors'] !== undefined && !isToolErrors(kept['tool_errors'])) delete kept['tool_errors'];
  if (kept['unmetered'] !== undefined && !isUnmetered(kept['unmetered'])) delete kept['unmetered'];
  const origin = readOrigin(kept['origin']);
  if (origin !== undefined) kept['origin'] = origin;
  else if ('origin' in kept) delete kept['origin'];
  return kept;
}

function isUnmetered(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['input', 'output', 'cost'].every((name) => {
    const amount: unknown = Reflect.get(value, name);
    return amount === null || (typeof amount === 'number' && Number.isFinite(amount) && amount >= 0);
  });
}

function isToolErrors(value: unknown): value is ToolErrors {
  if (typeof value !== 'object' || value === null) return false;
  const { failed, last } = value as Partial<Record<keyof ToolErrors, unknown>>;
  return Number.isSafeInteger(failed) && Number(failed) > 0 && Array.isArray(last) && last.every(isToolError);
}

function isToolError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return typeof Reflect.get(value, 'tool') === 'string' && typeof Reflect.get(value, 'error') === 'string';
}

/** A summary of another program may be of any length. */
const LONGEST_SUMMARY = 1_000;

/** The first 200 characters a person would want; a summary that the finding has, as far as its first 1,000. */
export function toSummary(finding: StoredFinding): string {
  return finding.summary !== undefined
    ? startOf(finding.summary, LONGEST_SUMMARY)
    : summarise(finding.result ?? finding.task ?? '');
}

/** JSON of a value; a note instead of one that is nested deeper than the stack, which a text of any program can be. */
export function toShownJson(value: unknown): string {
  try {
    return stringifyExact(value);
  } catch (error) {
    if (error instanceof RangeError) return '(nested too deeply to show)';
    throw error;
  }
}

/** The first 200 characters of a result, on one line; a `summary` property of a structured result wins. */
export function summarise(result: unknown): string {
  const text =
    typeof result === 'string'
      ? result
      : typeof result === 'object' && result !== null && 'summary' in result && typeof result.summary === 'string'
        ? result.summary
        : toShownJson(result);
  return toOneLine(text, 200);
}

function isInstant(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function toInstant(timestamp: unknown): string {
  if (typeof timestamp !== 'string') return new Date(0).toISOString();
  const date = new Date(timestamp); // without a zone: local time, as the old programs meant it
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

function toStrings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Tokens that a stored finding adds to `context:active`, and takes away when it leaves. */
export function toStoredTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Reads what is stored under `finding:<id>`; null where there is nothing, or a type that is no finding. */
export function readStored({ redis, keys }: Db, ids: readonly string[]): Promise<(StoredValue | null)[]> {
  return readValues(
    redis,
    ids.map((id) => keys.finding(id)),
  );
}

/** Reads what condensed findings held before they were condensed; null where nothing is kept. */
export function readOriginals({ redis, keys }: Db, ids: readonly string[]): Promise<(StoredValue | null)[]> {
  return readValues(
    redis,
    ids.map((id) => keys.condensed(id)),
  );
}

/** As `readStoredTexts`, with the session and the time of those that were adopted without. */
export async function readFindingTexts(db: Db, ids: readonly string[]): Promise<(string | null)[]> {
  return withAdopted(db, ids, await readStoredTexts(db, ids));
}

/** As `readStored`, as JSON text without secrets: older versions and other programs may have stored some. */
export async function readStoredTexts(db: Db, ids: readonly string[]): Promise<(string | null)[]> {
  return (await readStored(db, ids)).map((value) => (value === null ? null : db.redact(toStoredText(value))));
}

async function readValues(redis: Db['redis'], keys: string[]): Promise<(StoredValue | null)[]> {
  if (keys.length === 0) return [];
  const texts = await redis.mget(keys); // null for a hash: MGET never fails on a type
  const values: (StoredValue | null)[] = texts.map((text) => (text === null ? null : { kind: 'string', text }));
  const missing = keys.flatMap((key, index) => (values[index] === null ? [{ key, index }] : []));
  if (missing.length === 0) return values;
  const chain = redis.pipeline();
  for (const { key } of missing) chain.hgetall(key);
  const hashes = (await chain.exec()) ?? [];
  for (const [i, { index }] of missing.entries()) {
    const [error, hash] = hashes[i] ?? [];
    if (error !== null && error !== undefined && !error.message.startsWith('WRONGTYPE')) throw error;
    const fields = error === null ? Object.entries((hash ?? {}) as Record<string, string>) : [];
    if (fields.length > 0) values[index] = { kind: 'hash', fields };
  }
  return values;
}

/** The JSON text of a stored value. Older programs stored hashes: the JSON of their fields. */
export function toStoredText(value: StoredValue): string {
  return value.kind === 'string' ? value.text : JSON.stringify(Object.fromEntries(value.fields));
}

/** SHA-1 by which a script checks that a finding is still what was read. The same code is in `scripts/compact-findings.lua` too. */
export function toDigest(value: StoredValue): string {
  const sha = createHash('sha1');
  if (value.kind === 'string') return sha.update(value.text).digest('hex');
  const pairs = value.fields.map(([name, text]) => ({ name: Buffer.from(name), text }));
  pairs.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const { name, text } of pairs) sha.update(name).update('\0').update(text).update('\0');
  return sha.digest('hex');
}

/** What a finding of another program lacked when it was adopted. Its own fields win. */
export interface AdoptedFacts {
  /** The session in force then. */
  session?: string;
  /** When it was first seen: UTC instant. */
  at?: string;
}

/**
 * Reads the facts of `keys.adopted`; null where there are none.
 * @param texts what is stored under these ids; the fleet's own have no facts, and cost nothing
 */
export async function readAdopted(
  { redis, keys }: Pick<Db, 'redis' | 'keys'>,
  ids: readonly string[],
  texts: readonly (string | null)[],
): Promise<(AdoptedFacts | null)[]> {
  const facts: (AdoptedFacts | null)[] = texts.map(() => null);
  const bare = texts.flatMap((text, index) => (text === null || isWhole(text) ? [] : [index]));
  if (bare.length === 0) return facts;
  const stored = await redis.hmget(keys.adopted, ...bare.map((index) => ids[index] ?? '')).catch((error: Error) => {
    if (!error.message.startsWith('WRONGTYPE')) throw error;
    return []; // `fleet status` names the damaged key
  });
  for (const [i, index] of bare.entries()) facts[index] = parseRecord(stored[i]);
  return facts;
}

/** Adds the facts to the JSON texts of findings of other programs. @param texts as of `readAdopted` */
export async function withAdopted(
  db: Pick<Db, 'redis' | 'keys'>,
  ids: readonly string[],
  texts: readonly (string | null)[],
): Promise<(string | null)[]> {
  const facts = await readAdopted(db, ids, texts);
  return texts.map((text, i) => (text === null ? null : withFacts(text, facts[i] ?? null)));
}

/** Whether the fleet wrote it: then it has a session and a time. */
function isWhole(text: string): boolean {
  return text.includes('"job_id":') && text.includes('"session":') && text.includes('"at":');
}

/** Appends the facts to the text of a JSON object. Its numbers stay as they are, because nothing is parsed. */
export function withFacts(text: string, facts: AdoptedFacts | null): string {
  const end = text.trimEnd();
  const added = facts === null ? '' : JSON.stringify(facts).slice(1, -1);
  if (!end.endsWith('}') || added === '') return text;
  const body = end.slice(0, -1);
  return `${body}${body.trimEnd() === '{' ? '' : ','}${added}}`;
}
