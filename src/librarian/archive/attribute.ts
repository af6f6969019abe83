const REPLACED: Record<string, string> = { '"': '&quot;', '<': '&lt;', '>': '&gt;' };

/** A text as a prompt shows it in an attribute: on one line, and without what would end the attribute or its tag. */
export function toAttribute(text: string): string {
  return /["<>\s]/.test(text) ? text.replaceAll(/["<>\s]/g, (letter) => REPLACED[letter] ?? ' ') : text;
}
