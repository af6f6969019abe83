import { toWords } from '../archive/word-overlap.ts';
import { findSectionCount } from './planning-markers.ts';
import type { PlanningPrompt } from './planning-prompt.ts';

const SECTIONS = 3;

export interface OutlineSection {
  id: string;
  title: string;
  brief: string;
  /** Question to the archive. */
  question: string;
}

/** A document about the goal with one section for each topic word. */
export function toOutline(prompt: PlanningPrompt): { title: string; sections: OutlineSection[] } {
  const count = findSectionCount(prompt) ?? SECTIONS;
  const topics = findTopics(prompt, count);
  const sections = Array.from({ length: count }, (_, i) => toSection(i, topics[i] ?? `part ${i + 1}`, prompt.goal));
  return { title: toTitle(prompt.goal), sections };
}

function toSection(index: number, topic: string, goal: string): OutlineSection {
  const name = topic.charAt(0).toUpperCase() + topic.slice(1);
  return {
    id: `section-${index + 1}`,
    title: name,
    brief: `What the archive knows about ${topic}, for: ${goal.slice(0, 300)}`,
    question: `What is known about ${topic}?`,
  };
}

/** Words of the goal that findings contain, then other words of the goal, then words that at most half of the findings contain. */
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
