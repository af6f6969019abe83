import { isObject } from '../../../provider-host/json.ts';
import type { Rule } from '../../task/types.ts';
import { findStep } from '../../task/steps.ts';

/** “Ask your peers: …”: asks other workers, and answers with what they said; “… urgently: …” with the short wait. */
export const askPeers: Rule = ({ text, tools, steps }) => {
  const [, urgently, problem] = /^\s*ask your peers\b( urgently)?[:,]?\s*(\S.*)/i.exec(text) ?? [];
  if (problem === undefined || !tools.has('ask_peers')) return null;
  const input = { problem, tried: 'Reading the task.', ...(urgently === undefined ? {} : { urgency: 'urgent' }) };
  const asked = findStep(steps, 'ask_peers', input);
  return {
    next: () => (asked === undefined ? [{ name: 'ask_peers', input }] : []),
    answer() {
      const citations = [...new Set(asked?.content.match(/\bfinding_[\w.-]*\w/g))];
      const shown = (asked?.content ?? 'No peer was asked.').replaceAll(/<\/?material[^>]*>/g, '').trim();
      const said = [shown, ...citations.map((id) => `[${id}]`)].join(' ');
      return { text: said, values: { answer: said, citations, count: citations.length, summary: said } };
    },
  };
};

/** An assist task: answers the problem, unless it says that nobody can help. */
export const helpPeer: Rule = ({ text, task }) => {
  if (!text.startsWith('Another worker of this fleet is stuck') || !isObject(task.data)) return null;
  const problem = String(task.data['problem']);
  const helps = !/\bnobody can\b/i.test(problem);
  const answer = helps ? `About “${problem.slice(0, 200)}”: look at it from the other side.` : 'Nothing found.';
  return { next: () => [], answer: () => ({ text: answer, values: { helps, answer, summary: answer } }) };
};
