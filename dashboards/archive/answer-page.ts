import { toMissionAnswer } from '../../src/cli/output/finding/result.ts';
import { SwarmRefusedError } from '../../src/errors.ts';
import { toSummary } from '../../src/findings/stored.ts';
import type { FindingStore, StoredFinding } from '../../src/findings/types.ts';
import { startOf } from '../../src/text/start-of.ts';
import { toVisible } from '../access/visible-text.ts';
import { toResultText } from '../live/result-text.ts';

/** Sources that the page shows of an answer. */
const MOST_SOURCES = 50;
const MOST_QUESTION = 300;

/** A finding that an answer relies on. `problem`: why it cannot be shown; null: it can. */
interface Source {
  id: string;
  problem: string | null;
  at: string | null;
  session: string | null;
  summary: string;
  isRetracted: boolean;
  /** Whether a person can retract it here: it is a finding of this swarm. */
  canRetract: boolean;
}

/** An answer of a list. */
export function toAnswerRow(answer: StoredFinding) {
  const { finding_id: id, at, task, citations, model = null } = answer;
  return {
    id,
    at,
    question: toVisible(startOf(task ?? '', MOST_QUESTION)),
    summary: toVisible(toSummary(answer)),
    sources: citations.length,
    model,
    isRetracted: answer.status === 'retracted',
  };
}

/** An answer beside its sources. @param store reads also the findings of other swarms */
export async function readAnswerPage(store: Pick<FindingStore, 'get'>, answer: StoredFinding) {
  const { citations, result, cost = null } = answer;
  const { text, isJson } = toResultText(toMissionAnswer(result) ?? result);
  return {
    ...toAnswerRow(answer),
    question: toVisible(answer.task ?? ''),
    text: toVisible(text),
    isJson,
    costUsd: cost,
    isFreeLocal: answer.free_local === true,
    citations,
    sources: await Promise.all(citations.slice(0, MOST_SOURCES).map((id) => readSource(store, id))),
    moreSources: Math.max(0, citations.length - MOST_SOURCES),
  };
}

async function readSource(store: Pick<FindingStore, 'get'>, id: string): Promise<Source> {
  const none = { id, at: null, session: null, summary: '', isRetracted: false, canRetract: false };
  if (id.startsWith('context:')) return { ...none, problem: 'a document of the memory contexts' };
  try {
    const finding = await store.get(id);
    if (finding === null) return { ...none, problem: 'it is no longer there' };
    const isRetracted = finding.status === 'retracted';
    return {
      id,
      problem: null,
      at: finding.at,
      session: finding.session ?? null,
      summary: toVisible(toSummary(finding)),
      isRetracted,
      canRetract: !isRetracted && finding.swarm === undefined,
    };
  } catch (error) {
    if (!(error instanceof SwarmRefusedError)) throw error;
    return { ...none, problem: toVisible(error.message) };
  }
}
