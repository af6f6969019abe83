/** What only a shell understands. */
const SHELL_SIGNS = /[|&;<>`]|\$\(/;

/**
 * What a model that wrote a command line as one text most likely means. For the words of a refusal only: nothing runs it.
 * @returns null where the line needs a shell
 */
export function splitWords(line: string): string[] | null {
  if (SHELL_SIGNS.test(line)) return null;
  const words = line.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs) ?? [];
  return words.map((word) =>
    word.replaceAll(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_match, escaped, double, single) =>
      typeof double === 'string' ? double.replaceAll(/\\(["\\$`])/g, '$1') : String(escaped ?? single ?? ''),
    ),
  );
}
