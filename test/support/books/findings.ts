import { isPartial } from '../../../src/findings/marks.ts';
import { parseFinding, readStored, toStoredText, toStoredTokens } from '../../../src/findings/stored.ts';
import type { Db } from '../../../src/redis/db.ts';
import { differ, sumOf } from './differ.ts';

export async function compareFindings(db: Db): Promise<string[]> {
  const books = await readFindings(db);
  return [
    ...comparePlaces(books),
    ...compareCounts(books),
    ...(await compareIndexes(db, books)),
    ...compareEvents(books),
  ];
}

type Books = Awaited<ReturnType<typeof readFindings>>;

async function readFindings(db: Db) {
  const { redis, keys } = db;
  const [live, answers, condensed, retracted, stored, events, context, session, counters] = await Promise.all([
    redis.zrange(keys.index, 0, '-1'),
    redis.zrange(keys.indexAnswers, 0, '-1'),
    redis.zrange(keys.indexCondensed, 0, '-1'),
    redis.hkeys(keys.retracted),
    redis.keys(keys.finding('*')),
    redis.xrange(keys.events, '-', '+'),
    redis.get(keys.contextActive),
    redis.hgetall(keys.session),
    redis.hgetall(keys.counters),
  ]);
  const ids = stored.map((key) => key.slice(keys.finding('').length));
  const values = await readStored(db, ids);
  const texts = new Map(ids.map((id, i) => [id, toText(values[i])]));
  const findings = ids.flatMap((id) => parseFinding(id, texts.get(id) ?? '') ?? []);
  return { live, answers, condensed, retracted, ids, texts, findings, events, context, session, counters };
}

function toText(value: Awaited<ReturnType<typeof readStored>>[number] | undefined): string {
  return value === null || value === undefined ? '' : toStoredText(value);
}

/** Each finding is live, an answer, condensed or retracted, and only one of these. */
function comparePlaces({ live, answers, condensed, retracted, ids }: Books): string[] {
  const places = { live, answers, condensed, retracted };
  const known = new Set(Object.values(places).flat());
  const lost = [...live, ...answers, ...condensed].filter((id) => !ids.includes(id));
  return [
    ...ids.flatMap((id) => {
      const held = Object.entries(places)
        .filter(([, place]) => place.includes(id))
        .map(([name]) => name);
      return held.length === 1
        ? []
        : [`finding ${id}: ${held.length === 0 ? 'in no index' : `is ${held.join(' and ')}`}`];
    }),
    ...lost.map((id) => `finding ${id}: in an index, but not stored`),
    ...(known.size < ids.length ? [`findings: ${ids.length} stored, ${known.size} known`] : []),
  ];
}

function compareCounts({ live, condensed, texts, findings, context, session, counters }: Books): string[] {
  const tokens = sumOf(live.map((id) => toStoredTokens(texts.get(id) ?? '')));
  const partial = findings.filter((finding) => isPartial(finding)).length;
  const ofSession = findings.filter(
    ({ kind, session: own }) => own === session['name'] && kind !== 'archive' && kind !== 'summary',
  );
  return [
    ...differ('context:active', ['key', Number(context ?? 0)], ['findings in the index', tokens]),
    ...differ('findings of the session', ['counter', Number(session['findings'] ?? 0)], ['stored', ofSession.length]),
    ...differ('partial findings', ['counter', Number(counters['partial_findings'] ?? 0)], ['stored', partial]),
    ...differ(
      'condensed findings',
      ['counter', Number(counters['condensed_findings'] ?? 0)],
      ['index', condensed.length],
    ),
  ];
}

async function compareIndexes({ redis, keys }: Db, { live, findings }: Books): Promise<string[]> {
  const found: string[] = [];
  for (const { finding_id: id, session, batch } of findings) {
    if (!live.includes(id)) continue;
    if (session !== undefined && session !== '' && (await redis.zscore(keys.indexBySession(session), id)) === null)
      found.push(`finding ${id}: not in the index of session ${session}`);
    if (typeof batch === 'string' && (await redis.zscore(keys.indexByBatch(batch), id)) === null)
      found.push(`finding ${id}: not in the index of batch ${batch}`);
  }
  return found;
}

/** The stream keeps the newest 10,000 entries, about: nothing can be said of older ones. */
function compareEvents({ live, condensed, events }: Books): string[] {
  const announced = new Map<string, number>();
  for (const [, fields] of events) {
    if (fields[0] === 'finding') announced.set(fields[1] ?? '', (announced.get(fields[1] ?? '') ?? 0) + 1);
  }
  const isWhole = events.length < 10_000;
  return [
    ...[...announced].flatMap(([id, times]) => (times === 1 ? [] : [`finding ${id}: announced ${times} times`])),
    ...[...live, ...condensed].flatMap((id) =>
      isWhole && !announced.has(id) ? [`finding ${id}: never announced`] : [],
    ),
  ];
}
