import { NOT_IN_ARCHIVE } from '../archive/answer.ts';
import { quote, quoteMany, rankFindings } from './quote-findings.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

const MARK = '(simulated model)';
const MOST_FAILURES = 3;

/** An answer from the tasks' findings, each sentence with its citation, and the failed tasks. */
export function toSynthesis(prompt: PlanningPrompt): { answer: string; citations: string[] } {
  const { findings, failed, goal } = prompt;
  const { text, citations } = quoteMany(prompt, rankFindings(findings, goal), { count: 8, each: 220 });
  const more = findings.length - citations.length;
  const parts = [
    goal === '' ? '' : `On “${goal.slice(0, 200)}”:`,
    text === '' ? 'No task found anything.' : text,
    more > 0 ? `${more} more findings were read.` : '',
    describeFailures(failed),
    MARK,
  ];
  return { answer: parts.filter(Boolean).join(' '), citations };
}

/** One text that replaces many findings and cites each of them. */
export function toCondensation({ findings, room }: PlanningPrompt): { summary: string; citations: string[] } {
  const citations = findings.map(({ id }) => id);
  const ids = citations.join('","').length;
  const each = Math.floor((room * 0.9 - ids - 100) / Math.max(1, findings.length));
  const sentences = findings.map((finding) => quote(finding, Math.min(200, each)));
  return { summary: [...sentences, MARK].join('\n'), citations };
}

/** A section's text from its findings, each sentence with its citation. */
export function toSection(prompt: PlanningPrompt): { text: string; citations: string[] } {
  const { findings, section, goal } = prompt;
  const { text, citations } = quoteMany(prompt, rankFindings(findings, section || goal), { count: 10, each: 300 });
  return { text: text === '' ? NOT_IN_ARCHIVE : text, citations };
}

function describeFailures(failed: readonly string[]): string {
  if (failed.length === 0) return '';
  const named = failed
    .slice(0, MOST_FAILURES)
    .map((line) => line.slice(0, 160).replaceAll('[', '(').replaceAll(']', ')'));
  const more = failed.length > named.length ? ` and ${failed.length - named.length} more` : '';
  return `${failed.length === 1 ? 'One task' : `${failed.length} tasks`} failed: ${named.join('; ')}${more}.`;
}
