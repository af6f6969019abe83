import type { Rule } from '../task/types.ts';

/** “Say that …”: repeats the sentence; needs no tool. */
export const say: Rule = ({ text }) => {
  const said = /^say that (\S.*)/i.exec(text)?.[1];
  if (said === undefined) return null;
  const sentence = said.charAt(0).toUpperCase() + said.slice(1);
  return { next: () => [], answer: () => ({ text: sentence, values: { summary: sentence } }) };
};
