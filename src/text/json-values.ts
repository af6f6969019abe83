/** A number of a JSON text that a JavaScript number would change: `9007199254740993`, `1e400`, `-0`. */
export class ExactNumber {
  readonly text: string;

  /** @param text a number by the grammar of JSON */
  constructor(text: string) {
    this.text = text;
  }

  /** The nearest finite number: what `JSON.stringify` writes, so that a writer that knows no exact numbers rounds them. */
  toJSON(): number {
    return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, Number(this.text)));
  }

  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }
}

/**
 * An object of a JSON text with its fields as written: a plain object puts `"2023"` before `"name"` and keeps one of two fields
 * with the same name.
 */
export class JsonObject {
  readonly names: string[];
  readonly values: unknown[];

  /** @param values one for each name */
  constructor(names: string[], values: unknown[]) {
    this.names = names;
    this.values = values;
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** The value of the first field with this name; undefined: there is none. */
  get(name: string): unknown {
    const at = this.names.indexOf(name);
    return at === -1 ? undefined : this.values[at];
  }
}

/** Whether a double, as `JSON.stringify` writes it, has another value than a number of a JSON text, or another sign. */
export function isRounded(text: string): boolean {
  const written = JSON.stringify(Number(text));
  return written !== text && (written === 'null' || toDigits(written) !== toDigits(text));
}

/** A number's sign, its digits without zeros at both ends, and its exponent: equal for all ways to write one number. */
function toDigits(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = NUMBER_PARTS.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  if (end === 0) return `${sign}0`;
  const shift = Number(exponent) - fraction.length + digits.length - end;
  return `${sign}${digits.slice(0, end)}e${shift}`;
}

const NUMBER_PARTS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(-?\d+))?$/;
