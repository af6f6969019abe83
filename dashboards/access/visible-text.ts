/** Characters that no one sees, or that change the order in which others are shown, but for tabs and line breaks. */
const UNSEEN = /[^\P{Cc}\n\t]|\p{Cf}|[\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0]/gu;

/** Shows what a text would hide from a reader: `␍` for a carriage return, `<U+202E>` for a sign that turns the direction. */
export function toVisible(text: string): string {
  return text.replaceAll(UNSEEN, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x24_00 + code); // the pictures of control characters
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}
