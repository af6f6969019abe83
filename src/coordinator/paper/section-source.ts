import { toLastWords } from '../calls/person-words.ts';
import type { MissionRun } from '../step/run.ts';
import type { Mission } from '../step/types.ts';
import { blockPaper, type BlockRun } from './block-paper.ts';
import { savePaper, toSectionQueryId, type PaperRecord } from './record.ts';
import { findRefusedShard } from './shard-step.ts';
import { chooseFindings, readSources, toPaperReader } from './source-findings.ts';
import type { OutlinedSection, SectionSource, ShardReport } from './types.ts';
import { stringifyExact } from '../../text/exact-json.ts';

/** Most UTF-8 bytes of findings considered for one section without a librarian. */
const BY_ID_BYTES = 60_000;
/** Longest part of a person's answer in a question. */
const MOST_WORDS = 4_000;
/** First words of a failed query's reason that mean: the librarian's reply was no valid answer. */
const MALFORMED = new Set(['malformed', 'citations', 'refusal']);
const SHARD_FAILED = new Set(['shard', 'provider-unavailable']);

/** One section while it is written. */
export interface SectionPlace {
  /** Position in the outline, from 0. */
  index: number;
  section: OutlinedSection;
  /** `section-3`. */
  step: string;
  /** How often a person retried the step. */
  tries: number;
}

/** The members of a run that finding a section's source needs. */
export type SourceRun = BlockRun & Pick<MissionRun, 'config' | 'children' | 'record'>;

/**
 * Finds what the section is written from, and stores it before anything is written: the librarian's answer with the
 * findings it cites, or, if a person chose to skip Gemini, findings chosen and read by id.
 */
export async function findSource(
  run: SourceRun,
  paper: PaperRecord,
  place: SectionPlace,
  report: ShardReport | null,
): Promise<SectionSource> {
  const stored = paper.sources[place.index] ?? null;
  if (stored !== null) return stored;
  const value =
    paper.withoutGemini || report === null ? await readById(run, place) : await askArchive(run, place, report);
  await savePaper(run.db, run.mission.id, { source: { index: place.index, value } });
  return value;
}

async function askArchive(run: SourceRun, place: SectionPlace, report: ShardReport): Promise<SectionSource> {
  const { db, config, mission, children, record } = run;
  const { step, section, index, tries } = place;
  const queryId = toSectionQueryId(mission.id, index, tries);
  // A query that was added already fails by itself if it meets a refused shard.
  const refused = (await children.hasQuery(queryId)) ? null : await findRefusedShard(db, config, report);
  if (refused !== null) return blockPaper(run, { step, reason: 'shard', detail: refused });
  const exclude = report.shards.filter(({ ok }) => !ok).map(({ shard }) => shard);
  const filter = toFilter(mission);
  const end = await children.query({
    queryId,
    question: section.question + toLastWords((await record.read()).answers, MOST_WORDS),
    requester: `paper ${mission.id}`.slice(0, 200),
    allow_fallback: false,
    paper: exclude.length === 0 ? {} : { exclude },
    ...(filter === undefined ? {} : { filter }),
  });
  if (end.state === 'failed') return handleFailure(run, step, queryId, end.reason);
  const { finding } = end;
  const answer = typeof finding.result === 'string' ? finding.result : stringifyExact(finding.result ?? '');
  const found = await readSources(db, finding.citations, toPaperReader(mission));
  if (found.length === 0) return { kind: 'nothing', answerId: finding.finding_id, answer, findings: [] };
  return { kind: 'archive', answerId: finding.finding_id, answer, findings: found.map(({ id }) => id) };
}

/** @param failed `word: text` */
async function handleFailure(run: BlockRun, step: string, queryId: string, failed: string): Promise<SectionSource> {
  const word = failed.slice(0, Math.max(0, failed.indexOf(':')));
  if (word === 'no-evidence') return { kind: 'nothing', answerId: null, answer: failed, findings: [] };
  const reason = MALFORMED.has(word) ? 'malformed' : SHARD_FAILED.has(word) ? 'shard' : 'query';
  return blockPaper(run, { step, reason, detail: `query ${queryId}: ${failed}` });
}

async function readById(
  { db, mission }: Pick<MissionRun, 'db' | 'mission'>,
  { section }: SectionPlace,
): Promise<SectionSource> {
  const question = `${section.title} ${section.brief} ${section.question}`;
  const reader = toPaperReader(mission);
  const chosen = await chooseFindings(db, { question, filter: toFilter(mission), ...reader, maxBytes: BY_ID_BYTES });
  const found = await readSources(db, chosen, reader);
  const kind = found.length === 0 ? 'nothing' : 'by-id';
  return { kind, answerId: null, answer: '', findings: found.map(({ id }) => id) };
}

/** The session whose findings alone the paper is written from; undefined: all sessions. */
export function toFilter({ data }: Mission): { session: string } | undefined {
  const session = data.paper?.session;
  return session === undefined ? undefined : { session };
}
