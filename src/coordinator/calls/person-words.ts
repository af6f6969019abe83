import type { Answer } from './types.ts';
import { startOf } from '../../text/start-of.ts';
import { toBlock } from './prompt-blocks.ts';

/** Longest answer, UTF-16 code units. */
export const MOST_ANSWER = 4_000;
/** Most answers of one mission. */
export const MOST_ANSWERS = 20;
/** Most UTF-16 code units shown of what was asked. */
const SHOWN_PROBLEM = 1_000;

/** Follows the instructions of a prompt that has a `<person>` block. Without one the prompt stays as it was before. */
const PERSON_RULE =
  'What <person> holds was answered by the person who gave the goal, when asked. It counts like the goal itself, and before what findings say.';

/** What a person answered, for a prompt of the coordinator. */
export interface PersonWords {
  /** Follows the system prompt; empty: no person answered. */
  rule: string;
  /** Part of the prompt; empty: no person answered. */
  block: string;
}

/** @param cited whether the reply is to cite the answers by their ids */
export function toPersonWords(answers: readonly Answer[], { cited }: { cited: boolean }): PersonWords {
  if (answers.length === 0) return { rule: '', block: '' };
  const texts = answers.map(({ n, problem, text }) =>
    [`[${toAnswerId(n)}] Asked: ${startOf(problem, SHOWN_PROBLEM)}`, `Answered: ${text}`].join('\n'),
  );
  const rule = cited
    ? `${PERSON_RULE} Cite what rests on it by its id, as [${toAnswerId(answers[0]?.n ?? 1)}].`
    : PERSON_RULE;
  return { rule: `\n\n${rule}`, block: toBlock('person', texts.join('\n\n')) };
}

/** The name under which a text cites an answer. No finding has such an id. */
export function toAnswerId(n: number): string {
  return `person-${n}`;
}

/** The newest answer, for one question to another model; empty: there is none. */
export function toLastWords(answers: readonly Answer[], most: number): string {
  const last = answers.at(-1);
  return last === undefined ? '' : `\n\nThe person who wants to know this says: ${startOf(last.text, most)}`;
}
