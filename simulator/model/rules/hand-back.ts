import type { SonnetReason } from '../../../queues/reasons.ts';
import type { Rule } from '../task/types.ts';

/** The four reasons of `queues/reasons.ts`, each with the words that call for it. */
const REASONS: readonly (readonly [RegExp, SonnetReason])[] = [
  [/\bguardian[- ]council\b|\bconvene\b.*\bcouncil\b/, 'guardian-council deliberation'],
  [
    /\b(?:decide|choose|determine|settle|redesign)\b.*\b(?:architecture|architectural|design|framework|database|migration)\b|\barchitectural decisions?\b/,
    'multi-step architectural decisions',
  ],
  [/\b(?:should (?:we|the team)|strategy for|strategic|long-term plan|roadmap)\b/, 'complex strategic reasoning'],
  [/\b(?:ambiguous|whatever (?:you think|seems) best|somehow better|make it better)\b/, 'ambiguous requirements'],
];

/** Hands a task that needs judgement back to the coordinator. */
export const handBack: Rule = ({ verbs, steps, tools, text }) => {
  const reason = REASONS.find(([words]) => words.test(verbs))?.[1];
  if (reason === undefined) return null;
  const explanation = `“${text.slice(0, 120)}” asks for a decision, not for work that can be checked against the files.`;
  const done = steps.some((step) => step.name === 'hand_back');
  return {
    next: () => (done || !tools.has('hand_back') ? [] : [{ name: 'hand_back', input: { reason, explanation } }]),
    answer: () => ({
      text: `This task needs the coordinator's judgement (${reason}). ${explanation}`,
      values: { reason, explanation, summary: explanation },
    }),
  };
};
