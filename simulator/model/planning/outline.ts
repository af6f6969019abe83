import { toWords } from '../archive/word-overlap.ts';
import { findSectionCount } from './planning-markers.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

const SECTIONS = 3;

export interface OutlineSection {
  id: string;
  title: string;
  brief: string;
  /** What the archive is asked for it. */
  question: string;
}

/** A document on the goal, one section for each of the words that the goal and the findings share, or name most. */
export function toOutline(prompt: PlanningPrompt): { title: string; sections: OutlineSection[] } {
  const count = findSectionCount(prompt) ?? SECTIONS;
  const topics = findTopics(prompt, count);
  const sections = Array.from({ length: count }, (_, at) => toSection(at, topics[at] ?? `part ${at + 1}`, prompt.goal));
  return { title: toTitle(prompt.goal), sections };
}

function toSection(at: number, topic: string, goal: string): OutlineSection {
  const name = topic.charAt(0).toUpperCase() + topic.slice(1);
  return {
    id: `section-${at + 1}`,
    title: name,
    brief: `What the archive knows about ${topic}, for: ${goal.slice(0, 300)}`,
    question: `What is known about ${topic}?`,
  };
}

/** Words of the goal that findings speak of, then other words of the goal, then what some findings speak of and most do not. */
function findTopics({ goal, findings }: PlanningPrompt, count: number): string[] {
  const spread = new Map<string, number>();
  for (const { text } of findings)
    for (const word of new Set(toWords(text.slice(0, 2_000)))) spread.set(word, (spread.get(word) ?? 0) + 1);
  const asked = toWords(goal);
  const own = [...spread].filter(([word, times]) => times <= findings.length / 2 && /^[a-z]{4,}$/.test(word));
  const topics = [
    ...asked.filter((word) => spread.has(word)),
    ...asked,
    ...own.toSorted((a, b) => b[1] - a[1]).map(([word]) => word),
  ];
  return [...new Set(topics)].slice(0, count);
}

function toTitle(goal: string): string {
  const line = (goal.split('\n')[0] ?? '').trim().replace(/[.!?]+$/, '');
  return line === '' ? 'What the archive knows' : line.slice(0, 120);
}
