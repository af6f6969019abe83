import { fillSchema, fitsSchema } from '../schema-fill.ts';
import type { JsonObject } from '../../provider-host/json.ts';
import { parseArchivePrompt, parseMarkers, type QuestionMarkers } from './archive-prompt.ts';
import { stripMarkers } from '../markers.ts';
import { findContradictions, findMatches } from './word-overlap.ts';

export const NOT_IN_ARCHIVE = 'NOT IN ARCHIVE';

/** The simulated model's answer, before limits and faults. */
export interface ArchiveAnswer {
  text: string;
  markers: QuestionMarkers | null;
}

interface Said {
  answer: string;
  citations: string[];
}

/**
 * Answers a librarian's prompt deterministically: it cites the findings that share most words with the question, names both
 * findings of a contradiction, and answers NOT IN ARCHIVE if none shares a word.
 * @param wantsJson whether the reply must be JSON
 * @param schema of the JSON; null: any
 */
export function answerQuestion(prompt: string, wantsJson: boolean, schema: JsonObject | null): ArchiveAnswer {
  const { findings, question } = parseArchivePrompt(prompt);
  if (question === null) return { text: toText({ answer: 'OK (simulated model)', citations: [] }), markers: null };
  const markers = parseMarkers(question);
  if (markers.empty) return { text: '', markers };
  const said = answerFrom(stripMarkers(question));
  const citations = markers.noCitation
    ? []
    : markers.citeUnknown
      ? [...said.citations, 'finding_unknown0000']
      : said.citations;
  const answer = markers.noCitation ? said.answer.replaceAll(/ \[[^\]]+\]/g, '') : said.answer;
  const named = markers.citeUnknown ? `${answer} [finding_unknown0000]` : answer;
  return { text: toText({ answer: named, citations }), markers };

  function answerFrom(asked: string): Said {
    const matches = findMatches(asked, findings);
    if (matches.length === 0) return { answer: NOT_IN_ARCHIVE, citations: [] };
    const contradictions = findContradictions(matches).map(
      ([a, b]) =>
        `These two contradict each other: "${a.sentence}" and "${b.sentence}" [${a.finding.id}, ${b.finding.id}]`,
    );
    const sentences = matches.map(({ finding, sentence }) => `${sentence} [${finding.id}]`);
    return {
      answer: `${[...contradictions, ...sentences].join(' ')} (simulated model)`,
      citations: matches.map(({ finding }) => finding.id),
    };
  }

  function toText(reply: Said): string {
    if (!wantsJson) return reply.answer;
    const fits = schema === null || fitsSchema(schema, reply);
    return JSON.stringify(fits ? reply : fillSchema(schema ?? {}, { ...reply, summary: reply.answer }));
  }
}
