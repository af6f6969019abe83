import type { Rule } from '../task/types.ts';
import { firstLine } from '../task/reading.ts';
import { findStep } from '../task/steps.ts';
import { searchFindings } from './findings.ts';

/** “Ask the archive: …”: asks the librarian; searches the findings instead if there is no librarian or it fails. */
export const askArchive: Rule = (view) => {
  const question = /^\s*ask the archive\b[:,]?\s*(\S.*)/i.exec(view.text)?.[1]?.trim();
  if (question === undefined) return null;
  if (!view.tools.has('ask_archive')) return searchFindings({ ...view, text: question });
  const asked = findStep(view.steps, 'ask_archive', { question });
  if (asked?.isError === true) {
    const instead = searchFindings({ ...view, text: question });
    const why = `The archive gave no answer: ${firstLine(asked)}`;
    return (
      instead && {
        next: () => instead.next(),
        answer: () => {
          const { text, values } = instead.answer();
          return { text: `${why}\n${text}`, values: { ...values, summary: `${why} ${text}` } };
        },
      }
    );
  }
  return {
    next: () => (asked === undefined ? [{ name: 'ask_archive', input: { question } }] : []),
    answer() {
      const text = (asked?.content ?? 'The archive was not asked.').replaceAll(/\s*\(simulated model\)/g, '');
      const citations = [...new Set(text.match(/\b(?:finding|archive)_[\w.-]*\w/g))];
      return { text, values: { question, answer: text, citations, count: citations.length, summary: text } };
    },
  };
};
