import { TaskFailedError } from '../../errors.ts';
import { createFindingStore } from '../../findings/store.ts';
import type { MissionEnd, StepContext } from '../step/types.ts';
import { assemblePaper } from './assemble.ts';
import { PAPER_PROMPT_VERSION, toOutlineCall } from './outline-call.ts';
import { readPaper, savePaper, type PaperRecord } from './record.ts';
import type { Draft, Outline, ShardReport } from './types.ts';
import { toSectionCall } from './section-call.ts';
import { findSource, toFilter, type SectionPlace } from './section-source.ts';
import { passShardTest } from './shard-step.ts';
import { chooseFindings, readSources } from './source-findings.ts';
import { stayBlocked, blockPaper } from './block-paper.ts';

/** Of the findings an outline is made from, UTF-8 bytes of their whole texts. */
const OUTLINE_BYTES = 60_000;
/** Stands in place of a section on which nothing was found: nobody is paid to say so. */
const NOTHING = 'The archive holds nothing on this.';

/**
 * Writes a paper from the archive: tests the shards, outlines, writes section after section, puts it together. Each
 * step's result is in `keys.paper(id)` before the next begins, so that a run that died at any line goes on there.
 *
 * Where a shard or a reply of the librarian fails it, the paper stands, the fleet is halted, and a person chooses
 * (`decisions.ts`); the drafts so far stay readable.
 * @throws TaskFailedError `no-evidence` where the archive has nothing to write from; what model calls and waiting throw
 */
export async function runPaper(ctx: StepContext): Promise<MissionEnd> {
  const paper = await open(ctx);
  if (paper.stop !== null) return stayBlocked(ctx, paper.stop);
  if (paper.text !== null) return record(ctx, paper, paper.text);
  if (paper.beganAt === null) await begin(ctx);
  const report = paper.withoutGemini ? paper.shards : await passShardTest(ctx, paper);
  const outline = paper.outline ?? (await makeOutline(ctx, paper));
  const drafts: Draft[] = [];
  for (const [at, section] of outline.sections.entries()) {
    const step = `section-${at + 1}`;
    const place = { at, section, step, tries: paper.tries[step] ?? 0 };
    drafts.push(paper.drafts[at] ?? (await writeSection(ctx, paper, { place, outline, report })));
    await note(ctx, outline, drafts.length);
  }
  const text = await assemble(ctx, { outline, drafts, report });
  await savePaper(ctx.db, ctx.id, { text });
  return record(ctx, { ...paper, outline, drafts }, text);
}

async function open(ctx: StepContext): Promise<PaperRecord> {
  const nothing: PaperRecord = {
    beganAt: null,
    shards: null,
    outline: null,
    sources: [],
    drafts: [],
    text: null,
    stop: null,
    acceptShards: false,
    withoutGemini: false,
    tries: {},
  };
  return (await readPaper(ctx.db, ctx.id)) ?? nothing;
}

/** Before anything is paid: there must be something to write from. */
async function begin(ctx: StepContext): Promise<void> {
  const { db, data } = ctx;
  const { redis, keys } = db;
  const session = data.paper?.session;
  const count = await redis.zcard(session === undefined ? keys.index : keys.indexBySession(session));
  if (count === 0) {
    const where = session === undefined ? 'the archive' : `session ${session}`;
    throw new TaskFailedError('no-evidence', `${where} holds no finding: there is nothing to write a paper from`);
  }
  await savePaper(db, ctx.id, { beganAt: ctx.now().toISOString() });
  await ctx.record({ step: 'survey' });
}

async function makeOutline(ctx: StepContext, paper: PaperRecord): Promise<Outline> {
  await ctx.record({ step: 'plan' });
  const { goal } = ctx.data;
  const ids = await chooseFindings(ctx.db, { question: goal, filter: toFilter(ctx), maxBytes: OUTLINE_BYTES });
  const findings = await readSources(ctx.db, ids);
  const name = toCallName('outline', paper.tries['outline'] ?? 0);
  const call = toOutlineCall({ name, model: ctx.config.FLEET_SONNET_MODEL, goal, findings });
  const outline = await ask(ctx, 'outline', () => ctx.askStructured(call));
  await savePaper(ctx.db, ctx.id, { outline });
  await ctx.note(`outline: ${outline.title}; ${outline.sections.map(({ title }) => title).join(', ')}`);
  return outline;
}

async function writeSection(
  ctx: StepContext,
  paper: PaperRecord,
  { place, outline, report }: { place: SectionPlace; outline: Outline; report: ShardReport | null },
): Promise<Draft> {
  const { at, section, step, tries } = place;
  await ctx.record({ step: 'wait' });
  const source = await findSource(ctx, paper, place, report);
  await ctx.record({ step: 'synthesise' });
  const findings = await readSources(ctx.db, source.findings);
  const { id, title } = section;
  let draft: Draft = { id, title, text: NOTHING, citations: [], kind: 'nothing' };
  if (findings.length > 0) {
    const call = toSectionCall({
      name: toCallName(step, tries),
      model: ctx.config.FLEET_SONNET_MODEL,
      goal: ctx.data.goal,
      outline,
      section,
      answer: source.answer,
      findings,
    });
    const { text, citations } = await ask(ctx, step, () => ctx.askStructured(call));
    draft = { id, title, text: citations.length === 0 ? NOTHING : text, citations, kind: source.kind };
  }
  await savePaper(ctx.db, ctx.id, { draft: { at, value: draft } });
  return draft;
}

/** A writer's reply that does not fit, also after its repair, is for the person to see: the paper stands, the fleet goes on. */
async function ask<Value>(ctx: StepContext, step: string, asking: () => Promise<Value>): Promise<Value> {
  try {
    return await asking();
  } catch (error) {
    if (!(error instanceof TaskFailedError) || (error.reason !== 'malformed' && error.reason !== 'refusal'))
      throw error;
    return blockPaper(ctx, { step, reason: 'reply', detail: `${error.reason}: ${error.message}` });
  }
}

async function assemble(
  ctx: StepContext,
  { outline, drafts, report }: { outline: Outline; drafts: Draft[]; report: ShardReport | null },
): Promise<string> {
  const cited = toCited(drafts);
  if (cited.length === 0) {
    throw new TaskFailedError(
      'no-evidence',
      `the archive holds nothing on any section of ${JSON.stringify(outline.title)}`,
    );
  }
  await ctx.record({ step: 'store' });
  const store = createFindingStore(ctx.db);
  return assemblePaper({
    title: outline.title,
    missionId: ctx.id,
    session: ctx.session,
    model: ctx.config.FLEET_SONNET_MODEL,
    archiveModel: ctx.config.FLEET_GEMINI_MODEL,
    shards: drafts.some(({ kind }) => kind === 'archive') ? report : null,
    drafts,
    sources: await Promise.all(cited.map(async (id) => ({ id, finding: await store.get(id) }))),
    at: ctx.now(),
  });
}

function record(ctx: StepContext, { outline, drafts }: PaperRecord, text: string): Promise<MissionEnd> {
  const written = drafts.filter((draft) => draft !== null);
  return ctx.store({
    result: text,
    citations: toCited(written),
    summary: `${outline?.title ?? ctx.data.goal}: ${written.map(({ title }) => title).join(', ')}`.slice(0, 200),
    kind: 'paper',
    promptVersion: PAPER_PROMPT_VERSION,
    model: ctx.config.FLEET_SONNET_MODEL,
  });
}

/** How far it is, for the status. */
async function note(ctx: StepContext, { sections }: Outline, done: number): Promise<void> {
  const total = sections.length;
  await ctx.record({ counts: { total, added: total, done, failed: 0, skipped: 0 } });
}

/** Every cited id once, in the order it is first cited. */
function toCited(drafts: readonly Draft[]): string[] {
  return [...new Set(drafts.flatMap(({ citations }) => citations))];
}

/** A step tried again by a person is paid anew. */
function toCallName(step: string, tries: number): string {
  return tries === 0 ? step : `${step}-r${tries}`;
}
