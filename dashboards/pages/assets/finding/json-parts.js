/** Lines of one part that are shown without a fold. */
const SHORT_PART = 12;

/** Cuts the lines of a level into its long lists and objects, and what is between them. @param indent that of the level */
export function toParts(lines, indent) {
  const parts = [{ isLong: false, lines: [] }];
  for (let i = 0; i < lines.length; i += 1) {
    const end = isOwn(lines[i], indent) && /[[{]$/.test(lines[i]) ? findEnd(lines, i + 1, indent) : -1;
    if (end - i < SHORT_PART) {
      parts.at(-1).lines.push(lines[i]);
      continue;
    }
    parts.push({ isLong: true, lines: lines.slice(i, end + 1) }, { isLong: false, lines: [] });
    i = end;
  }
  return parts.filter((part) => part.lines.length > 0);
}

/** The place of the line that ends a list or object; -1: there is none. It begins at `from`: a result has 100,000 parts. */
function findEnd(lines, from, indent) {
  for (let i = from; i < lines.length; i += 1) if (isOwn(lines[i], indent)) return i;
  return -1;
}

function isOwn(line, indent) {
  return line.startsWith(indent) && line[indent.length] !== ' ';
}
