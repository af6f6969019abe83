/** Control characters but line breaks and tabs, and signs that change the direction of text: a terminal acts on them. */
const CONTROLS = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu;

/** Removes what could move a terminal's cursor, hide a text or change its order: anyone may have written it. */
export function withoutControls(text: string): string {
  return text.replaceAll(CONTROLS, '');
}

/** The same JSON with those characters of its texts as `\\u202e`, so that a program reads them unchanged. */
export function escapeControls(json: string): string {
  return json.replaceAll(CONTROLS, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
