import { toAttribute } from '../../librarian/archive/attribute.ts';

/** All tags of the coordinator's prompts. */
const TAGS = [
  'models',
  'goal',
  'person',
  'workspace',
  'worker',
  'files',
  'topics',
  'archive',
  'findings',
  'finding',
  'outline',
  'section',
  'limits',
  'failed',
  'problem',
] as const;
type Tag = (typeof TAGS)[number];

const OWN_TAG = new RegExp(`<(?=/?(?:${TAGS.join('|')})\\b)`, 'gi');

/** A part of a prompt between its tags, on its own lines; empty if the text is empty. The text cannot close the tag. */
export function toBlock(tag: Tag, text: string): string {
  return text.trim() === '' ? '' : `<${tag}>\n${escapeTags(text)}\n</${tag}>\n`;
}

/** One finding, for `toFindingsBlock`. */
export function toFindingBlock(finding: { id: string; kind: string; text: string }): string {
  return `<finding id="${toAttribute(finding.id)}" kind="${toAttribute(finding.kind)}">\n${escapeTags(finding.text)}\n</finding>\n`;
}

/** All findings of a prompt. @param blocks results of `toFindingBlock` */
export function toFindingsBlock(blocks: readonly string[]): string {
  return blocks.length === 0 ? '' : `<findings>\n${blocks.join('')}</findings>\n`;
}

/** Escapes the prompt's own tags in a text, so that goals, files and findings cannot open or close one. */
function escapeTags(text: string): string {
  return text.includes('<') ? text.replaceAll(OWN_TAG, '&lt;') : text;
}
