import { isObject } from '../../provider-host/json.ts';
import { toWords } from '../archive/word-overlap.ts';
import type { GivenFinding, PlanningPrompt } from './planning-prompt.ts';

const MARK = /\s*\(simulated model\)/g;

/** The first sentence of a finding with its citation, in at most `most` characters. */
export function quote(finding: GivenFinding, most: number): string {
  const room = Math.max(10, most - finding.id.length - 4);
  const said = firstSentence(finding.text, room);
  return `${said.replace(/[.!?:;…]+$/, '')} [${finding.id}].`;
}

/** Findings by the number of words they share with the text; of equal ones, one of each kind before a second of any kind. */
export function rankFindings(findings: readonly GivenFinding[], about: string): GivenFinding[] {
  const wanted = new Set(toWords(about));
  const seen = new Map<string, number>();
  const scored = findings.map((finding) => {
    const shared = toWords(finding.text.slice(0, 2_000)).filter((word) => wanted.has(word));
    const score = new Set(shared).size;
    const group = `${score} ${finding.kind}`;
    const turn = seen.get(group) ?? 0;
    seen.set(group, turn + 1);
    return { finding, score, turn };
  });
  return scored.toSorted((a, b) => b.score - a.score || a.turn - b.turn).map(({ finding }) => finding);
}

/** One sentence of each finding, as many as fit, and the ids they cite. */
export function quoteMany(
  prompt: Pick<PlanningPrompt, 'room'>,
  findings: readonly GivenFinding[],
  most: { count: number; each: number },
): { text: string; citations: string[] } {
  const sentences: string[] = [];
  const citations: string[] = [];
  let room = prompt.room / 2 - 200; // leaves room for JSON escapes, the list of ids and the text around
  for (const finding of findings.slice(0, most.count)) {
    const sentence = quote(finding, most.each);
    room -= sentence.length + finding.id.length + 4;
    if (room < 0 && sentences.length > 0) break;
    sentences.push(sentence);
    citations.push(finding.id);
  }
  return { text: sentences.join(' '), citations };
}

/** Replaces what would break a citation: brackets read as citations, and a full stop would end the sentence before it. */
function firstSentence(text: string, most: number): string {
  const line = toPlainText(withoutTask(text))
    .replaceAll(MARK, '')
    .replaceAll('[', '(')
    .replaceAll(']', ')')
    .trim()
    .split('\n')
    .find((one) => one.trim() !== '');
  const flat = (line ?? 'It says nothing')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[.!?…]+(?=["'”’)`])/g, '')
    .replaceAll(/[.!?…]+ /g, '; ')
    .trim();
  return flat.length <= most ? flat : `${flat.slice(0, most - 6).trimEnd()} (cut)`;
}

/** The text without its first line, which repeats the task. */
function withoutTask(text: string): string {
  const found = text.split('\n').slice(1).join('\n').trim();
  return found.replaceAll(MARK, '') === '' ? text : found;
}

/** The summary of a JSON result, else the whole text. */
function toPlainText(text: string): string {
  if (!text.startsWith('{')) return text;
  try {
    const value: unknown = JSON.parse(text);
    const said = isObject(value) ? (value.summary ?? value.answer ?? value.result) : null;
    return typeof said === 'string' ? said : text;
  } catch {
    return text; // not JSON, or cut
  }
}
