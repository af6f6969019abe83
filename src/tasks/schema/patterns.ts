/** Letters and digits that mean something after a backslash. Any other would stand for itself, as in Python's `\A`. */
const KNOWN_ESCAPE = /\\(?:[^A-Za-z]|[bBcdDfknrsStuvwWx])/;

/**
 * Returns the expression of a schema's pattern. JSON Schema asks for the `u` flag, which refuses escapes that other languages
 * want, such as `\-`. Such a pattern is taken without the flag where that reads it as it was meant.
 * @throws SyntaxError
 */
function toRegExp(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch (error) {
    const escapes = pattern.match(/\\[^]?/g) ?? [];
    if (escapes.some((escape) => !KNOWN_ESCAPE.test(escape))) throw error;
    return new RegExp(pattern);
  }
}

/** For Ajv, which would write the flags into the code that it generates. */
export const regExpEngine = Object.assign((pattern: string) => toRegExp(pattern), { code: 'toRegExp' });
