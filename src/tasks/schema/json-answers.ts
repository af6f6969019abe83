import { scanValue } from './scan-value.ts';

const FENCED = /```[^\n`]*\n([^]*?)\n[ \t]*```/g;
const OPENING = /[[{]/g;
/** A text with more of them is no answer. */
const MOST = 100;

const BUDGET_PER_CHARACTER = 20;

/**
 * Lists the JSON values that an answer may mean, in the order in which they are tried: the whole answer, each code block, then
 * each list and object in the text, from left to right. Brackets of prose, as in `{note}`, are passed over; a part of a
 * value, whole or broken, is none.
 * @returns texts; those of the whole answer and of code blocks may be no JSON
 */
export function listJsonAnswers(answer: string): string[] {
  const blocks = [...answer.matchAll(FENCED)].map(([, block = '']) => block.trim());
  return [...new Set([answer.trim(), ...blocks, ...findValues(answer)])].slice(0, MOST);
}

function findValues(text: string): string[] {
  const found: string[] = [];
  const budget = { left: BUDGET_PER_CHARACTER * text.length };
  OPENING.lastIndex = 0;
  for (let opening = OPENING.exec(text); opening !== null && found.length < MOST; opening = OPENING.exec(text)) {
    const { isWhole, at } = scanValue(text, opening.index, budget);
    if (isWhole) found.push(text.slice(opening.index, at));
    OPENING.lastIndex = at;
  }
  return found;
}
