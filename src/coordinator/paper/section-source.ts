import { toQueryIds } from '../../librarian/queries/enqueue.ts';
import type { StepContext } from '../step/types.ts';
import { savePaper, type PaperRecord } from './record.ts';
import type { OutlinedSection, SectionSource, ShardReport } from './types.ts';
import { findRefusedShard } from './shard-step.ts';
import { chooseFindings, readSources } from './source-findings.ts';
import { blockPaper } from './block-paper.ts';

/** Of the findings read without a librarian so much is considered for one section, UTF-8 bytes. */
const BY_ID_BYTES = 60_000;
/** What a librarian's query ends with where its reply is none, by the word before the colon. */
const MALFORMED = new Set(['malformed', 'citations', 'refusal']);
const SHARD_FAILED = new Set(['shard', 'provider-unavailable']);

/** One section on its way. */
export interface SectionPlace {
  /** From 0. */
  at: number;
  section: OutlinedSection;
  /** `section-3`. */
  step: string;
  tries: number;
}

/**
 * What the section is written from, stored before anybody writes: the librarian's answer with the findings it cites, or
 * findings chosen and read by id where a person wants no Gemini.
 */
export async function findSource(
  ctx: StepContext,
  paper: PaperRecord,
  place: SectionPlace,
  report: ShardReport | null,
): Promise<SectionSource> {
  const stored = paper.sources[place.at] ?? null;
  if (stored !== null) return stored;
  const value =
    paper.withoutGemini || report === null ? await readById(ctx, place) : await askArchive(ctx, place, report);
  await savePaper(ctx.db, ctx.id, { source: { at: place.at, value } });
  return value;
}

async function askArchive(ctx: StepContext, place: SectionPlace, report: ShardReport): Promise<SectionSource> {
  const { step, section, at, tries } = place;
  const queryId = toSectionQueryId(ctx.id, at, tries);
  // A query that was asked already says itself what it met.
  const isAsked = (await ctx.queues.archive.getJob(toQueryIds(queryId).jobId)) !== undefined;
  const refused = isAsked ? null : await findRefusedShard(ctx, report);
  if (refused !== null) return blockPaper(ctx, { step, reason: 'shard', detail: refused });
  const exclude = report.shards.filter(({ ok }) => !ok).map(({ shard }) => shard);
  const end = await ctx.query({
    queryId,
    question: section.question,
    requester: `paper ${ctx.id}`.slice(0, 200),
    allow_fallback: false,
    paper: exclude.length === 0 ? {} : { exclude },
    ...(toFilter(ctx) === undefined ? {} : { filter: toFilter(ctx) }),
  });
  if (end.state === 'failed') return onFailure(ctx, step, queryId, end.reason);
  const { finding } = end;
  const answer = typeof finding.result === 'string' ? finding.result : JSON.stringify(finding.result ?? '');
  const found = await readSources(ctx.db, finding.citations);
  if (found.length === 0) return { kind: 'nothing', answerId: finding.finding_id, answer, findings: [] };
  return { kind: 'archive', answerId: finding.finding_id, answer, findings: found.map(({ id }) => id) };
}

async function onFailure(ctx: StepContext, step: string, queryId: string, failed: string): Promise<SectionSource> {
  const word = failed.slice(0, Math.max(0, failed.indexOf(':')));
  if (word === 'no-evidence') return { kind: 'nothing', answerId: null, answer: failed, findings: [] };
  const reason = MALFORMED.has(word) ? 'malformed' : SHARD_FAILED.has(word) ? 'shard' : 'query';
  return blockPaper(ctx, { step, reason, detail: `query ${queryId}: ${failed}` });
}

async function readById(ctx: StepContext, { section }: SectionPlace): Promise<SectionSource> {
  const question = `${section.title} ${section.brief} ${section.question}`;
  const chosen = await chooseFindings(ctx.db, { question, filter: toFilter(ctx), maxBytes: BY_ID_BYTES });
  const found = await readSources(ctx.db, chosen);
  const kind = found.length === 0 ? 'nothing' : 'by-id';
  return { kind, answerId: null, answer: '', findings: found.map(({ id }) => id) };
}

/** Only what the person wants the paper to be written from. */
export function toFilter({ data }: Pick<StepContext, 'data'>): { session: string } | undefined {
  const session = data.paper?.session;
  return session === undefined ? undefined : { session };
}

/** Name of a section's question; a step that a person has tried again is another one. @param at from 0 */
export function toSectionQueryId(missionId: string, at: number, tries: number): string {
  return `${missionId}-s${at + 1}${tries === 0 ? '' : `-${tries + 1}`}`;
}
