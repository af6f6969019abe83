import { TaskFailedError } from '../../errors.ts';
import { createFindingStore } from '../../findings/store.ts';
import { finishMission } from '../step/finish.ts';
import type { MissionRun } from '../step/run.ts';
import type { MissionEnd } from '../step/types.ts';
import { assemblePaper } from './assemble.ts';
import { blockPaper, stayBlocked, type BlockRun } from './block-paper.ts';
import { PAPER_PROMPT_VERSION, toOutlineCall } from './outline-call.ts';
import { readPaper, savePaper, type PaperRecord } from './record.ts';
import { toSectionCall } from './section-call.ts';
import { findSource, toFilter, type SectionPlace, type SourceRun } from './section-source.ts';
import { passShardTest } from './shard-step.ts';
import { chooseFindings, readSources, toPaperReader } from './source-findings.ts';
import type { Draft, Outline, ShardReport } from './types.ts';
import { startOf } from '../../text/start-of.ts';

/** Most UTF-8 bytes of the findings that an outline is made from, whole texts counted. */
const OUTLINE_BYTES = 60_000;
/** Text of a section without any finding. No call is paid for it. */
const NOTHING = 'The archive holds nothing on this.';

/** The members of a run that outlining and writing need. */
type WriterRun = SourceRun & Pick<MissionRun, 'calls' | 'record'>;

/**
 * Writes a paper from the archive: tests the shards, outlines, writes section after section, assembles. Each step's result
 * is in the paper's record before the next step begins, so a run after a crash continues with the first step without one.
 *
 * If a shard or a librarian's reply fails the paper, the paper is blocked, the fleet halts, and a person decides
 * (`decisions.ts`). The drafts written so far stay readable.
 * @throws TaskFailedError `no-evidence` if the archive holds nothing to write from; what model calls and waiting throw
 */
export async function runPaper(run: MissionRun): Promise<MissionEnd> {
  const { db, mission } = run;
  const paper = (await readPaper(db, mission.id)) ?? EMPTY;
  if (paper.stop !== null) return stayBlocked(run, paper.stop);
  if (paper.text !== null) return finish(run, paper, paper.text);
  if (paper.beganAt === null) await begin(run);
  const report = paper.withoutGemini ? paper.shards : await passShardTest(run, paper);
  const outline = paper.outline ?? (await makeOutline(run, paper));
  const drafts: Draft[] = [];
  for (const [index, section] of outline.sections.entries()) {
    const step = `section-${index + 1}`;
    const place = { index, section, step, tries: paper.tries[step] ?? 0 };
    drafts.push(paper.drafts[index] ?? (await writeSection(run, paper, { place, outline, report })));
    await recordProgress(run, outline, drafts.length);
  }
  const text = await assemble(run, { outline, drafts, report });
  await savePaper(db, mission.id, { text });
  return finish(run, { outline, drafts }, text);
}

const EMPTY: PaperRecord = {
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

/** Checks that the archive holds something to write from, before anything is paid. */
async function begin({ db, mission, record, now }: Pick<MissionRun, 'db' | 'mission' | 'record' | 'now'>) {
  const { redis, keys } = db;
  const session = mission.data.paper?.session;
  const count = await redis.zcard(session === undefined ? keys.index : keys.indexBySession(session));
  if (count === 0) {
    const where = session === undefined ? 'the archive' : `session ${session}`;
    throw new TaskFailedError('no-evidence', `${where} holds no finding: there is nothing to write a paper from`);
  }
  await savePaper(db, mission.id, { beganAt: now().toISOString() });
  await record.patch({ step: 'survey' });
}

async function makeOutline(run: WriterRun, paper: PaperRecord): Promise<Outline> {
  const { db, config, mission, calls, record, job } = run;
  await record.patch({ step: 'plan' });
  const { goal } = mission.data;
  const reader = toPaperReader(mission);
  const asked = { question: goal, filter: toFilter(mission), ...reader, maxBytes: OUTLINE_BYTES };
  const findings = await readSources(db, await chooseFindings(db, asked), reader);
  const name = toCallName('outline', paper.tries['outline'] ?? 0);
  const { answers } = await record.read();
  const call = toOutlineCall({ name, model: config.FLEET_COORDINATOR_MODEL, goal, findings, answers });
  const outline = await blockOnBadReply(run, 'outline', () => calls.ask(call));
  await savePaper(db, mission.id, { outline });
  await job.log(`outline: ${outline.title}; ${outline.sections.map(({ title }) => title).join(', ')}`);
  return outline;
}

async function writeSection(
  run: WriterRun,
  paper: PaperRecord,
  { place, outline, report }: { place: SectionPlace; outline: Outline; report: ShardReport | null },
): Promise<Draft> {
  const { db, config, mission, calls, record } = run;
  const { index, section, step, tries } = place;
  await record.patch({ step: 'wait' });
  const source = await findSource(run, paper, place, report);
  await record.patch({ step: 'synthesise' });
  const findings = await readSources(db, source.findings, toPaperReader(mission));
  const { id, title } = section;
  let draft: Draft = { id, title, text: NOTHING, citations: [], kind: 'nothing' };
  if (findings.length > 0) {
    const call = toSectionCall({
      name: toCallName(step, tries),
      model: config.FLEET_COORDINATOR_MODEL,
      goal: mission.data.goal,
      outline,
      section,
      answer: source.answer,
      findings,
      answers: (await record.read()).answers,
    });
    const { text, citations } = await blockOnBadReply(run, step, () => calls.ask(call));
    draft = { id, title, text: citations.length === 0 ? NOTHING : text, citations, kind: source.kind };
  }
  await savePaper(db, mission.id, { draft: { index, value: draft } });
  return draft;
}

/** Makes a paid call. A reply of the writer that fails also after its repair blocks this paper; it does not halt the fleet. */
async function blockOnBadReply<Value>(run: BlockRun, step: string, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof TaskFailedError) || !['malformed', 'refusal', 'too-long'].includes(error.reason))
      throw error;
    return blockPaper(run, { step, reason: 'reply', detail: `${error.reason}: ${error.message}` });
  }
}

async function assemble(
  { db, config, mission, record, now }: Pick<MissionRun, 'db' | 'config' | 'mission' | 'record' | 'now'>,
  { outline, drafts, report }: { outline: Outline; drafts: Draft[]; report: ShardReport | null },
): Promise<string> {
  const cited = listCited(drafts);
  if (cited.length === 0) {
    throw new TaskFailedError(
      'no-evidence',
      `the archive holds nothing on any section of ${JSON.stringify(outline.title)}`,
    );
  }
  await record.patch({ step: 'store' });
  const store = createFindingStore(db);
  return assemblePaper({
    title: outline.title,
    missionId: mission.id,
    session: mission.session,
    model: config.FLEET_COORDINATOR_MODEL,
    archiveModel: config.FLEET_GEMINI_MODEL,
    shards: drafts.some(({ kind }) => kind === 'archive') ? report : null,
    drafts,
    sources: await Promise.all(cited.map(async (id) => ({ id, finding: await store.get(id) }))),
    writtenAt: now(),
  });
}

function finish(
  run: MissionRun,
  { outline, drafts }: Pick<PaperRecord, 'outline' | 'drafts'>,
  text: string,
): Promise<MissionEnd> {
  const { config, mission } = run;
  const written = drafts.filter((draft) => draft !== null);
  return finishMission(run, {
    result: text,
    citations: listCited(written),
    summary: startOf(`${outline?.title ?? mission.data.goal}: ${written.map(({ title }) => title).join(', ')}`, 200),
    kind: 'paper',
    promptVersion: PAPER_PROMPT_VERSION,
    model: config.FLEET_COORDINATOR_MODEL,
  });
}

/** Stores how many sections are written, for the status. */
async function recordProgress({ record }: Pick<MissionRun, 'record'>, { sections }: Outline, done: number) {
  const total = sections.length;
  await record.patch({ counts: { total, added: total, done, failed: 0, cancelled: 0, skipped: 0 } });
}

/** Every cited id once, in the order of its first citation. */
function listCited(drafts: readonly Draft[]): string[] {
  return [...new Set(drafts.flatMap(({ citations }) => citations))];
}

/** A step that a person retries gets a new name, because a name is paid once. */
function toCallName(step: string, tries: number): string {
  return tries === 0 ? step : `${step}-r${tries}`;
}
